import { CallerPreferences, HeaderSet, requestDisposition, type SipMessage } from "@ims/sip";
import type { Binding } from "../store/registration.ts";

/** One place to look: flows of one UE, tried one after the other. */
export type Branch = readonly Binding[];

/** Branches of a group are tried at the same time, the groups one after the other. */
export type SearchOrder = readonly (readonly Branch[])[];

const PREFERENCES = new HeaderSet(["Accept-Contact", "Reject-Contact", "Request-Disposition"]);
/** Which methods and packages a contact takes is looked at for every caller (RFC 3841 §7.2.2). */
const ASKED_OF_ALL = /;(?:methods|events)=/;

/**
 * Which contacts are tried and when, as caller and callee want it: TS 24.229 §5.4.3.3 step 10, RFC 3841 §7. `less`: what becomes of
 * those that suit the caller less, of the same q. Empty: nobody does what the caller requires.
 */
export function searchOrderFor(
  request: SipMessage,
  bindings: readonly Binding[],
  less: "later" | "together" = "later",
): SearchOrder {
  const states = request.hasAny(PREFERENCES);
  if (!states && bindings.every(({ parameters }) => plainlyTakes(parameters, request)))
    return searchOrder(bindings);
  // Most calls of IMS phones: a preference for a service, and one phone.
  if (bindings.length === 1 && request.has("Accept-Contact") && !mayLeaveOut(request))
    return searchOrder(bindings);
  const preferences = new CallerPreferences(request);
  const suiting = new Map<Binding, number>();
  for (const binding of bindings) {
    const suits = preferences.suits(binding.parameters);
    if (suits !== undefined) suiting.set(binding, less === "later" ? suits : 0);
  }
  const groups = searchOrder([...suiting.keys()], (binding) => suiting.get(binding) ?? 0);
  if (!states || groups.length === 0) return groups;
  const { fork, search } = requestDisposition(request);
  const branches = groups.flat();
  if (fork === false) return [branches.slice(0, 1)];
  if (search === "sequential") return branches.map((branch) => [branch]);
  return search === "parallel" ? [branches] : groups;
}

/** Without reading the parameters: do they say nothing of methods and packages, or list the method? */
function plainlyTakes(parameters: string, request: SipMessage): boolean {
  if (!ASKED_OF_ALL.test(parameters)) return true;
  const { method } = request;
  const at = parameters.indexOf(method);
  return (
    at > 0 &&
    /[", ]/.test(parameters.charAt(at - 1)) &&
    /[", ]/.test(parameters.charAt(at + method.length)) &&
    !request.has("Event")
  );
}

/** Does the caller state anything by which a contact is not tried at all? Else a single one needs no look. */
function mayLeaveOut(request: SipMessage): boolean {
  return (
    request.has("Reject-Contact") || request.lines("Accept-Contact").some((line) => /;\s*require/i.test(line))
  );
}

/**
 * Groups of equal q and equal preference of the caller (thousandths), highest first, q before preference; in a group one branch a UE, its
 * most recent flow first (RFC 5626 §7, RFC 3261 §16.6).
 */
export function searchOrder(
  bindings: readonly Binding[],
  preferenceOf: (binding: Binding) => number = () => 0,
): SearchOrder {
  if (bindings.length === 0) return [];
  if (bindings.length === 1) return [[bindings]];
  const placed = bindings.map((binding) => ({ binding, place: binding.q * 1001 + preferenceOf(binding) }));
  placed.sort((a, b) => b.place - a.place || b.binding.refreshedAt - a.binding.refreshedAt);
  const branches: { place: number; flows: Binding[] }[] = [];
  for (const { binding, place } of placed) {
    const same =
      binding.regId > 0
        ? branches.find(({ flows: [first] }) => first?.regId !== 0 && first?.instance === binding.instance)
        : undefined;
    if (same === undefined) branches.push({ place, flows: [binding] });
    else same.flows.push(binding);
  }
  const groups: { place: number; branches: Branch[] }[] = [];
  for (const { place, flows } of branches) {
    const last = groups.at(-1);
    if (last?.place === place) last.branches.push(flows);
    else groups.push({ place, branches: [flows] });
  }
  return groups.map((group) => group.branches);
}
