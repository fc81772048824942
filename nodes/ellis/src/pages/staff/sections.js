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
];

const ROLES = ["viewer", "operator", "administrator"];

export function mayAs(role, least) {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}
