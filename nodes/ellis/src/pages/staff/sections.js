/**
 * Sections of the portal, in the order of the navigation. A section is a module whose `open(root, portal)` fills `root`, an empty element,
 * and may give back a function that ends what it began (timers, streams). `portal`: see shell.js.
 */
export const SECTIONS = [
  {
    id: "subscribers",
    title: "Subscribers",
    role: "viewer",
    load: () => import("./subscribers/subscribers.js"),
  },
  { id: "live", title: "Live", role: "viewer", load: () => import("./core/live.js") },
  { id: "ladders", title: "Ladders", role: "viewer", load: () => import("./core/ladders.js") },
  { id: "doctor", title: "Doctor", role: "viewer", load: () => import("./core/doctor.js") },
  { id: "pools", title: "Pools", role: "viewer", load: () => import("./core/pools.js") },
  { id: "alarms", title: "Alarms", role: "viewer", load: () => import("./core/alarms.js") },
  { id: "audit", title: "Audit", role: "administrator", load: () => import("./audit.js") },
  { id: "staff", title: "Staff", role: "viewer", load: () => import("./staff-accounts.js") },
];

const ROLES = ["viewer", "operator", "administrator"];

export function mayAs(role, least) {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}
