import { type CaseFile, fieldOf, type SipEvent } from "../case/case-file.ts";
import { evidence, type Finding, type Rule } from "../case/finding.ts";
import type { NodeStep } from "../trail/ask-node.ts";
import { byReason, found, madeHere, titleOf, whoRefused } from "./requests.ts";

/** Copies of a request to a UE without a sound from it: the third leaves after 1.5 s (RFC 3261 §17.1.1.2). */
const SILENT_COPIES = 3;
const FAILED_BY_MEDIA: ReadonlySet<number> = new Set([415, 488, 606]);

/** Why a call, or a message, did not reach whom it was for: TS 24.229 §5.3.2, §5.4.3. */
export const callSetupRules: readonly Rule[] = [
  {
    id: "no-filter-criteria-met",
    find: (file) =>
      byReason(
        file,
        403,
        "Forbidden (no service)",
        `No filter criterion is for ${file.method} of this kind.`,
      ),
  },
  { id: "caller-barred", find: (file) => barred(file, 403) },
  { id: "called-barred", find: (file) => barred(file, 404) },
  {
    id: "barred-by-service",
    find(file) {
      const step =
        file.decisions("barring of outgoing calls")[0] ?? file.decisions("barring of incoming calls")[0];
      const { refusal } = file;
      if (step === undefined || refusal === undefined) return undefined;
      if (file.originOf(refusal.message.status)?.kind !== "core") return undefined;
      return {
        said: `It is the ${step.title.replace(/:.*$/, "")} of ${fieldOf(step, "servedUser") ?? "the user"}.`,
        evidence: evidence(step, refusal.step),
      };
    },
  },
  {
    id: "application-server-silent",
    find: (file) => serverTrouble(file, true),
  },
  {
    id: "application-server-failed",
    find: (file) => serverTrouble(file, false),
  },
  { id: "number-incomplete", find: (file) => madeHere(file, 484, `${calledIn(file)} wants more digits.`) },
  {
    id: "number-not-routable",
    find(file) {
      if (file.refusal?.message.status !== 404) return undefined;
      const origin = file.originOf(404);
      const target = targetIn(file);
      if (origin?.kind !== "core" || !target.startsWith("tel:")) return undefined;
      const tried = [...file.decisions("dial plan"), ...file.decisions("ENUM"), ...file.decisions("BGCF")];
      return {
        said: `${target} is of no subscriber, and no route is for it.`,
        evidence: evidence(file.first?.step, ...tried, ...file.cx("LIA"), origin.step, file.refusal.step),
      };
    },
  },
  {
    id: "called-unknown",
    find(file) {
      const answer = file.cx("LIA").find(({ title }) => /ERROR_USER_UNKNOWN/.test(title));
      if (answer === undefined || file.refusal?.message.status !== 404) return undefined;
      if (file.originOf(404)?.kind !== "core") return undefined;
      return {
        said: `Nobody has the identity ${targetIn(file)}.`,
        evidence: evidence(file.first?.step, answer, file.refusal.step),
      };
    },
  },
  {
    id: "domain-not-routable",
    find: (file) => madeHere(file, 404, `No route is for the domain of ${targetIn(file)}.`),
  },
  {
    id: "flow-failed",
    find(file) {
      const failed = file.decisions("answer").find((step) => fieldOf(step, "status") === "430");
      if (failed === undefined || file.refusal === undefined) return undefined;
      return {
        said: `The flow that ${calledIn(file)} registered over is closed.`,
        evidence: evidence(file.first?.step, failed, file.refusal.step),
      };
    },
  },
  {
    id: "called-not-registered",
    find: (file) => madeHere(file, 480, `${calledIn(file)} has no UE that is registered.`),
  },
  {
    id: "ue-does-not-answer",
    find(file) {
      if (file.final !== undefined && file.final.message.status < 300) return undefined;
      for (const copies of copiesToUes(file)) {
        const [first] = copies;
        if (first === undefined || copies.length < SILENT_COPIES) continue;
        const to = first.step.ends?.remote ?? "the UE";
        return {
          said: `${copies.length} times ${file.method} was sent to ${to}, and nothing came back.`,
          evidence: evidence(...copies.map(({ step }) => step), file.refusal?.step),
        };
      }
      return undefined;
    },
  },
  { id: "busy", find: (file) => fromOutside(file, (status) => status === 486 || status === 600) },
  { id: "declined", find: (file) => fromOutside(file, (status) => status === 603) },
  {
    id: "no-answer",
    find(file) {
      const status = file.refusal?.message.status ?? 0;
      const rang = file.answers("INVITE").find(({ message }) => message.status === 180);
      if (file.kind !== "call" || rang === undefined || (status !== 487 && status !== 408 && status !== 480))
        return undefined;
      const cancel = file.received("CANCEL")[0];
      return {
        said: cancel === undefined ? "The time to answer was over." : "The caller has hung up while it rang.",
        evidence: evidence(rang.step, cancel?.step, file.refusal?.step),
      };
    },
  },
  { id: "codec-mismatch", find: (file) => fromOutside(file, (status) => FAILED_BY_MEDIA.has(status)) },
  {
    id: "session-interval-too-small",
    find(file) {
      const { refusal } = file;
      if (refusal?.message.status !== 422) return undefined;
      const asked = file.received(file.method).at(-1)?.message.header("Session-Expires") ?? "less";
      const least = refusal.message.lines("Min-SE")[0] ?? "more";
      return found(file, `It asks for ${asked.split(";", 1)[0]} s; ${least} s is the least.`);
    },
  },
];

/** What is left: somebody outside has said no. */
export const refusedOutsideRules: readonly Rule[] = [
  { id: "refused-by-ue", find: (file) => refusedBy(file, "ue") },
  { id: "refused-by-peer", find: (file) => refusedBy(file, "peer") },
];

function barred(file: CaseFile, status: number): Finding | undefined {
  const step = file.decisions("barred identity")[0];
  if (step === undefined || file.refusal?.message.status !== status) return undefined;
  return {
    said: `${fieldOf(step, "servedUser") ?? "The identity"} is barred.`,
    evidence: evidence(file.first?.step, step, file.refusal.step),
  };
}

/** Default handling: TS 24.229 §5.4.3.2. `silent`: there was no answer at all; else a 5xx. */
function serverTrouble(file: CaseFile, silent: boolean): Finding | undefined {
  const steps = [...file.decisions("default handling"), ...file.decisions("iFC")].filter((step) =>
    fieldOf(step, "what") === "iFC"
      ? silent && fieldOf(step, "skipped") === "the server is away"
      : (fieldOf(step, "silent") === "true") === silent,
  );
  const step = steps.find((one) => fieldOf(one, "defaultHandling") === "terminate") ?? steps[0];
  if (step === undefined) return undefined;
  const failed = file.refusal !== undefined && fieldOf(step, "defaultHandling") === "terminate";
  const server = fieldOf(step, "server") ?? "the server";
  const status = fieldOf(step, "status");
  const what = silent ? `${server} has not answered` : `${server} has answered ${status}`;
  const then = failed ? "the request ended with it" : "the request went on without it";
  return { said: `${what}; ${then}.`, evidence: evidence(...steps, file.refusal?.step), harmless: !failed };
}

/** Copies of one request to one UE that has said nothing to it. */
function copiesToUes(file: CaseFile): readonly (readonly SipEvent[])[] {
  const answered = new Set(file.answered(file.method).map(({ message }) => message.topVia?.branch ?? ""));
  const copies = new Map<string, SipEvent[]>();
  for (const event of file.sent(file.method)) {
    const branch = event.message.topVia?.branch ?? "";
    if (answered.has(branch)) continue;
    copies.set(branch, [...(copies.get(branch) ?? []), event]);
  }
  return [...copies.values()];
}

function fromOutside(file: CaseFile, is: (status: number) => boolean): Finding | undefined {
  const { refusal } = file;
  if (refusal === undefined || !is(refusal.message.status)) return undefined;
  return found(
    file,
    `${whoRefused(file)} has answered ${titleOf(file)}.`,
    file.originOf(refusal.message.status),
  );
}

function refusedBy(file: CaseFile, kind: "ue" | "peer"): Finding | undefined {
  const { refusal } = file;
  // 487: the caller has cancelled.
  if (refusal === undefined || refusal.message.status === 487) return undefined;
  const origin = file.originOf(refusal.message.status);
  if (origin?.kind !== kind) return undefined;
  return found(file, `${whoRefused(file)} has answered ${titleOf(file)}.`, origin);
}

function calledIn({ first }: CaseFile): string {
  return (first && fieldOf(first.step, "to")) ?? first?.message.requestUri ?? "The called user";
}

/** Where it was to go at last: what dial plan and ENUM made of what was dialled. */
function targetIn(file: CaseFile): string {
  const steps: readonly NodeStep[] = [...file.decisions("dial plan"), ...file.decisions("ENUM")];
  const made = steps
    .map((step) => fieldOf(step, "uri") ?? fieldOf(step, "answer"))
    .findLast((uri) => uri?.includes(":"));
  const asked = file
    .cx("LIR")
    .map((step) => fieldOf(step, "publicIdentity"))
    .at(-1);
  return asked ?? made ?? file.first?.message.requestUri ?? "";
}
