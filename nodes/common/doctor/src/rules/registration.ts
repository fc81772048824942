import { hostOfUri, isPrivateAddress, splitHostPort } from "../case/addresses.ts";
import { type CaseFile, fieldOf } from "../case/case-file.ts";
import { evidence, type Rule } from "../case/finding.ts";

/** Registration, when the HSS and the password were right: TS 24.229 §5.2.2, §5.4.1. */
export const registrationRules: readonly Rule[] = [
  {
    id: "too-many-contacts",
    find(file) {
      const origin = refused(file, 403);
      if (origin?.why !== "too many contacts") return undefined;
      return {
        said: `${(file.first && fieldOf(file.first.step, "to")) ?? "The user"} has as many contacts as are allowed.`,
        evidence: evidence(file.received("REGISTER").at(-1)?.step, origin.step, file.refusal?.step),
      };
    },
  },
  {
    id: "interval-too-brief",
    find(file) {
      if (refused(file, 423) === undefined) return undefined;
      const asked = file.received("REGISTER").at(-1)?.message.header("Expires") ?? "too short a time";
      const least = file.refusal?.message.lines("Min-Expires")[0] ?? "more";
      return {
        said: `The UE asks for ${asked} s; ${least} s is the least.`,
        evidence: evidence(file.received("REGISTER").at(-1)?.step, file.refusal?.step),
      };
    },
  },
  {
    id: "behind-nat",
    find(file) {
      for (const { step, message } of file.received("REGISTER")) {
        const contact = message
          .values("Contact")
          .map(hostOfUri)
          .find((host) => host !== undefined);
        const source = splitHostPort(step.ends?.remote ?? "").host;
        if (contact === undefined || source === "" || contact === source) continue;
        const which = isPrivateAddress(contact) ? "a private address" : "another address";
        return {
          said: `Its Contact is ${contact}, ${which}; its packets come from ${source}.`,
          evidence: evidence(step),
        };
      }
      return undefined;
    },
  },
];

function refused(file: CaseFile, status: number) {
  if (file.kind !== "registration" || file.refusal?.message.status !== status) return undefined;
  const origin = file.originOf(status);
  return origin?.kind === "core" ? origin : undefined;
}
