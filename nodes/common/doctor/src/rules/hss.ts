import { canonicalImpu } from "@ims/ims";
import { type CaseFile, fieldOf } from "../case/case-file.ts";
import { attemptsIn } from "../case/digest-attempts.ts";
import { evidence, type Finding, type Rule } from "../case/finding.ts";
import type { NodeStep } from "../trail/ask-node.ts";

/** Answers of the HSS about somebody who registers. */
const REGISTRATION_ANSWERS = ["UAA", "MAA", "SAA"] as const;
const ANSWERS = [...REGISTRATION_ANSWERS, "LIA"] as const;

/** What the HSS said of a registration: TS 29.228 §6.1, §6.3. */
export const hssRules: readonly Rule[] = [
  {
    id: "missing-implicit-registration-set",
    find(file, { subscriber }) {
      const answer = said(file, ["UAA"], /ERROR_(?:USER_UNKNOWN|IDENTITIES_DONT_MATCH)/);
      const impi = impiOf(file);
      const known = answer === undefined ? undefined : subscriber?.(impi);
      const none =
        known === "without a set" || (typeof known === "object" && known.publicIdentities.length === 0);
      if (!none) return undefined;
      return found(file, answer, `The HSS has ${impi}, and no public identity that it may register.`);
    },
  },
  {
    id: "wrong-domain",
    find(file, { homeDomain }) {
      const answer = said(file, ["UAA"], /ERROR_USER_UNKNOWN/);
      const { impu, host } = registeredIn(file);
      if (answer === undefined || homeDomain === undefined || host === "") return undefined;
      if (host === homeDomain.toLowerCase()) return undefined;
      return found(file, answer, `${impu} is of the domain ${host}; the home domain is ${homeDomain}.`);
    },
  },
  {
    id: "unknown-subscriber",
    find(file, { subscriber }) {
      const answer = said(file, ["UAA", "MAA"], /ERROR_USER_UNKNOWN/);
      if (answer === undefined) return undefined;
      const { impu } = registeredIn(file);
      const impi = impiOf(file);
      const known = subscriber?.(impi);
      if (typeof known === "object") {
        const own = known.publicIdentities.map((one) => one.impu).join(", ");
        return found(file, answer, `The HSS has ${impi}, with ${own}; ${impu} is nobody's.`);
      }
      return found(file, answer, `The HSS has neither ${impi} with ${impu}, nor ${impu} for anybody.`);
    },
  },
  {
    id: "identities-do-not-match",
    find(file, { subscriber }) {
      const answer = said(file, REGISTRATION_ANSWERS, /ERROR_IDENTITIES_DONT_MATCH/);
      if (answer === undefined) return undefined;
      const impi = impiOf(file);
      const known = subscriber?.(impi);
      const own =
        typeof known === "object"
          ? ` It may register ${known.publicIdentities.map((one) => one.impu).join(", ")}.`
          : "";
      return found(file, answer, `${registeredIn(file).impu} is not of ${impi}.${own}`);
    },
  },
  {
    id: "registration-barred",
    find: (file) =>
      found(
        file,
        said(file, ["UAA"], /AUTHORIZATION_REJECTED/),
        `No public identity of ${impiOf(file)} may be used: all are barred.`,
      ),
  },
  {
    id: "roaming-not-allowed",
    find(file) {
      const answer = said(file, ["UAA"], /ERROR_ROAMING_NOT_ALLOWED/);
      const asked = file.cx("UAR").find(({ session }) => session === answer?.session);
      const visited = asked === undefined ? undefined : fieldOf(asked, "visitedNetworkIdentifier");
      return found(file, answer, `${impiOf(file)} may not be served in ${visited ?? "this network"}.`, asked);
    },
  },
  {
    id: "registered-elsewhere",
    find(file) {
      const answer = said(file, ["SAA"], /ERROR_IDENTITY_ALREADY_REGISTERED/);
      const other = answer === undefined ? undefined : fieldOf(answer, "serverName");
      return found(
        file,
        answer,
        `The HSS has ${other ?? "another S-CSCF"} for ${registeredIn(file).impu}.`,
        ...file.cx("SAR"),
      );
    },
  },
  {
    id: "authentication-scheme-not-supported",
    find(file) {
      const answer = said(file, ["MAA"], /ERROR_AUTH_SCHEME_NOT_SUPPORTED/);
      const wanted = attemptsIn(file, file.method).at(-1)?.algorithm ?? "";
      const asked = wanted === "" ? "" : ` It asks for ${wanted}.`;
      return found(
        file,
        answer,
        `${impiOf(file)} has no credentials for what the UE wants.${asked}`,
        ...file.cx("MAR"),
      );
    },
  },
];

/** An HSS that does not do its work, for whatever request. They come last: an answer about the user says more. */
export const hssTroubleRules: readonly Rule[] = [
  {
    id: "hss-overloaded",
    find: (file) =>
      failedBy(file, said(file, ANSWERS, /DIAMETER_TOO_BUSY/), "The HSS answered DIAMETER_TOO_BUSY."),
  },
  {
    id: "hss-unreachable",
    find(file) {
      const note = file.notes("cx")[0];
      const what = note === undefined ? "" : (fieldOf(note, "what") ?? "");
      const outcome = note === undefined ? "" : (fieldOf(note, "outcome") ?? "");
      return failedBy(file, note, `${what} got no answer (${outcome}).`, ...file.notes("cx"));
    },
  },
  {
    id: "hss-failed",
    find(file) {
      const answer = ANSWERS.flatMap((name) => file.cx(name)).find(
        ({ status }) => status !== undefined && status >= 3000 && (status < 5000 || status === 5012),
      );
      return failedBy(file, answer, `The HSS answered ${answer?.title ?? ""}.`);
    },
  },
];

/** The answer of one of these commands that has this result. */
function said(file: CaseFile, commands: readonly string[], result: RegExp): NodeStep | undefined {
  for (const command of commands) {
    const answer = file.cx(command).find(({ title }) => result.test(title));
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function found(
  file: CaseFile,
  answer: NodeStep | undefined,
  words: string,
  ...more: readonly (NodeStep | undefined)[]
): Finding | undefined {
  if (answer === undefined || file.kind !== "registration" || file.refusal === undefined) return undefined;
  return { said: words, evidence: evidence(file.first?.step, answer, ...more, file.refusal.step) };
}

function failedBy(
  file: CaseFile,
  step: NodeStep | undefined,
  words: string,
  ...more: readonly NodeStep[]
): Finding | undefined {
  const { refusal } = file;
  if (step === undefined || refusal === undefined || refusal.message.status < 480) return undefined;
  // What the other UE says has nothing to do with the HSS.
  const origin = file.originOf(refusal.message.status);
  if (origin !== undefined && origin.kind !== "core") return undefined;
  return { said: words, evidence: evidence(step, ...more, refusal.step) };
}

/** The identity in To of the REGISTER. */
function registeredIn(file: CaseFile): { readonly impu: string; readonly host: string } {
  const to = file.first === undefined ? undefined : fieldOf(file.first.step, "to");
  const impu = to ?? "";
  const host = /^sips?:(?:[^@]*@)?([^;>]*)/i.exec(impu)?.[1] ?? "";
  return { impu, host: host.toLowerCase() };
}

/** What was said in Authorization, else what follows from the public identity (TS 24.229 §5.4.1.1). */
export function impiOf(file: CaseFile): string {
  const named = attemptsIn(file, file.method).find(({ username }) => username !== "")?.username;
  if (named !== undefined) return named;
  const { impu } = registeredIn(file);
  return (canonicalImpu(impu) ?? impu).replace(/^sips?:/i, "");
}
