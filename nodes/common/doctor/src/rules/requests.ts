import { type CaseFile, fieldOf, type Origin } from "../case/case-file.ts";
import { evidence, type Finding, type Rule } from "../case/finding.ts";

/** What is wrong with a request itself, whatever it is for: RFC 3261 §16.3, TS 24.229 §5.2. */
export const requestRules: readonly Rule[] = [
  {
    id: "sec-agree-not-supported",
    find(file) {
      if (!unsupportedBy(file).includes("sec-agree")) return undefined;
      const client = file.received(file.method).at(-1)?.message.lines("Security-Client")[0];
      const offer = client === undefined ? "" : ` It offers ${client.split(";", 1)[0]}.`;
      return found(file, `The UE requires sec-agree.${offer}`);
    },
  },
  {
    id: "precondition-failed",
    find(file) {
      const { refusal } = file;
      const status = refusal?.message.status ?? 0;
      const requires = refusal?.message.values("Require").some((tag) => tag.toLowerCase() === "precondition");
      if (
        status !== 580 &&
        !(status === 421 && requires === true) &&
        !unsupportedBy(file).includes("precondition")
      )
        return undefined;
      return found(file, `${whoRefused(file)} has answered ${titleOf(file)}.`);
    },
  },
  {
    id: "extension-not-supported",
    find(file) {
      if (file.refusal?.message.status !== 420) return undefined;
      return found(
        file,
        `${whoRefused(file)} does not support ${unsupportedBy(file).join(", ") || "what it requires"}.`,
      );
    },
  },
  {
    id: "uri-scheme-not-supported",
    find: (file) =>
      madeHere(file, 416, `${file.first?.message.requestUri ?? "The address"} cannot be called.`),
  },
  {
    id: "loop-detected",
    find: (file) =>
      madeHere(file, 482, "It has been here before.") ??
      madeHere(file, 483, "It has passed as many hops as its Max-Forwards let it."),
  },
  {
    id: "message-too-large",
    find: (file) => madeHere(file, 513, "It is longer than what is taken of a UE."),
  },
  {
    id: "malformed-request",
    find(file) {
      if (file.refusal?.message.status !== 400) return undefined;
      const origin = file.originOf(400);
      if (origin?.kind !== "core") return undefined;
      const [, field] = /\(([^)]*)\)$/.exec(origin.reason) ?? [];
      return found(file, field === undefined ? "It cannot be read." : `What is wrong is: ${field}.`, origin);
    },
  },
  {
    id: "source-limit",
    find(file) {
      if (file.refusal?.message.status !== 503) return undefined;
      const origin = file.originOf(503);
      if (origin?.kind !== "core" || origin.why !== "source limit") return undefined;
      const remote = file.refusal.step.ends?.remote ?? "one address";
      return found(file, `${remote} sends more than is taken of who is not registered.`, origin);
    },
  },
  {
    id: "route-not-allowed",
    find: (file) =>
      byReason(file, 403, "Forbidden (Route)", "Its Route or Request-URI names a node of the core."),
  },
  {
    id: "caller-not-registered",
    find(file) {
      const source = file.first?.step.ends?.remote ?? "this flow";
      return (
        byReason(file, 403, "Forbidden (not registered)", `Nobody is registered over ${source}.`) ??
        byReason(
          file,
          403,
          "Forbidden (emergency registration)",
          `Over ${source} there is an emergency registration only.`,
        )
      );
    },
  },
];

/** Trouble of the core that has nothing to do with who is asked for. These come after everything that says more. */
export const coreTroubleRules: readonly Rule[] = [
  {
    id: "store-unavailable",
    find(file) {
      const { refusal } = file;
      if (refusal === undefined || refusal.message.status < 500) return undefined;
      const origin = file.originOf(refusal.message.status);
      const notes = file.notes("store").filter((step) => fieldOf(step, "outcome") === "unavailable");
      const told = file
        .decisions("answer")
        .some((step) => /registrations are not available/.test(fieldOf(step, "reason") ?? ""));
      if (origin?.kind !== "core" || (notes.length === 0 && !told)) return undefined;
      const tables = [...new Set(notes.map((step) => fieldOf(step, "table") ?? ""))].filter(
        (one) => one !== "",
      );
      return {
        said: `sprout could not read or write ${tables.length === 0 ? "the registrations" : `its ${tables.join(", ")}`}.`,
        evidence: evidence(file.first?.step, ...notes, origin.step, refusal.step),
      };
    },
  },
  {
    id: "home-network-unreachable",
    find(file) {
      const { refusal } = file;
      if (refusal?.message.status !== 504) return undefined;
      const origin = file.originOf(504);
      if (origin?.kind !== "core" || origin.entity !== "P-CSCF") return undefined;
      return found(file, "No node behind the P-CSCF has answered.", origin);
    },
  },
  {
    id: "overload",
    find(file) {
      const { refusal } = file;
      if (refusal?.message.status !== 503) return undefined;
      const origin = file.originOf(503);
      if (origin?.kind !== "core") return undefined;
      const after = refusal.message.header("Retry-After");
      const when = after === undefined ? "" : `; it may come again after ${after} s`;
      return found(file, `${origin.node} has refused it${when}.`, origin);
    },
  },
];

/** Steps from the request to its refusal. */
export function found(file: CaseFile, said: string, origin?: Origin): Finding | undefined {
  if (file.refusal === undefined) return undefined;
  return { said, evidence: evidence(file.first?.step, origin?.step, file.refusal.step) };
}

/** Refused by this core with a status. */
export function madeHere(file: CaseFile, status: number, said: string): Finding | undefined {
  if (file.refusal?.message.status !== status) return undefined;
  const origin = file.originOf(status);
  return origin?.kind === "core" ? found(file, said, origin) : undefined;
}

/** Refused by this core with a status and a reason. */
export function byReason(file: CaseFile, status: number, reason: string, said: string): Finding | undefined {
  if (file.refusal?.message.status !== status) return undefined;
  const origin = file.originOf(status);
  return origin?.kind === "core" && origin.reason === reason ? found(file, said, origin) : undefined;
}

/** Who it was, as the beginning of a sentence. */
export function whoRefused(file: CaseFile): string {
  const origin = file.refusal && file.originOf(file.refusal.message.status);
  if (origin === undefined) return "Somebody";
  if (origin.kind === "core") return `The ${origin.entity}`;
  return origin.kind === "ue" ? `The UE at ${origin.remote}` : `The peer at ${origin.remote}`;
}

export function titleOf({ refusal }: CaseFile): string {
  return refusal === undefined ? "" : `${refusal.message.status} ${refusal.message.reason}`;
}

function unsupportedBy({ refusal }: CaseFile): readonly string[] {
  if (refusal?.message.status !== 420) return [];
  return refusal.message
    .lines("Unsupported")
    .flatMap((line) => line.split(","))
    .map((tag) => tag.trim().toLowerCase());
}
