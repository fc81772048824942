import { type CaseFile, fieldOf } from "../case/case-file.ts";
import { attemptsIn, challengesIn, isAka } from "../case/digest-attempts.ts";
import { evidence, type Finding, type Rule } from "../case/finding.ts";
import type { NodeStep } from "../trail/ask-node.ts";
import { impiOf } from "./hss.ts";

/** That many challenges with stale=TRUE are no accident. */
const STALE_CHALLENGES = 3;
/** Longer than any UE thinks about a challenge, ms. */
const UNANSWERED_MS = 2_000;

/** Answers to challenges: TS 24.229 §5.4.1.2. */
export const authenticationRules: readonly Rule[] = [
  {
    id: "too-many-wrong-passwords",
    find(file) {
      const origin = refusalBy(file, 503);
      if (origin?.why !== "password tries") return undefined;
      const remote = file.refusal?.step.ends?.remote ?? "its address";
      return {
        said: `${impiOf(file)} has given many wrong answers from ${remote}; one a second is let through.`,
        evidence: evidence(file.first?.step, origin.step, file.refusal?.step),
      };
    },
  },
  {
    id: "sqn-out-of-step",
    find(file) {
      const attempts = attemptsIn(file, file.method).filter(({ resynchronises }) => resynchronises);
      const [first] = attempts;
      if (first === undefined || succeeded(file)) return undefined;
      const refused = file
        .cx("MAA")
        .find(({ title, time }) => /UNABLE_TO_COMPLY/.test(title) && time >= first.event.step.time);
      if (refused === undefined && attempts.length < 2) return undefined;
      return {
        said:
          refused === undefined
            ? `The SIM of ${impiOf(file)} says that the sequence number is wrong, also after the HSS has set it.`
            : `The HSS could not verify what the SIM of ${impiOf(file)} says of its sequence number (AUTS).`,
        evidence: evidence(...attempts.map(({ event }) => event.step), refused, file.refusal?.step),
      };
    },
  },
  {
    id: "op-entered-as-opc",
    find: (file, { akaFits }) => wrongAka(file, (step) => akaFits?.(step) === "op"),
  },
  {
    id: "aka-wrong-key",
    find(file, { akaFits }) {
      const finding = wrongAka(file, (step) => akaFits?.(step) !== "op");
      const step = wrongIn(file, "response");
      // Nobody could compare: it may be OP in place of OPc.
      return finding && { ...finding, likely: step === undefined || akaFits?.(step) === undefined };
    },
  },
  {
    id: "aka-network-refused",
    find(file) {
      // TS 24.229 §5.1.1.5.3: neither RES nor AUTS.
      const challenges = challengesIn(file, file.method).filter(({ algorithm }) => isAka(algorithm));
      const refusing = attemptsIn(file, file.method).filter(
        ({ nonce, responds, resynchronises }) =>
          !responds && !resynchronises && challenges.some((challenge) => challenge.nonce === nonce),
      );
      if (refusing.length === 0 || succeeded(file)) return undefined;
      return {
        said: `The SIM of ${impiOf(file)} has found AUTN wrong (${refusing.length === 1 ? "once" : `${refusing.length} times`}).`,
        evidence: evidence(
          ...challenges.map(({ event }) => event.step),
          ...refusing.map(({ event }) => event.step),
        ),
        likely: true,
      };
    },
  },
  {
    id: "wrong-realm",
    find(file) {
      const step = wrongIn(file, "realm");
      if (step === undefined) return undefined;
      const used = attemptsIn(file, file.method).at(-1)?.realm ?? "";
      const wanted = challengesIn(file, file.method).at(-1)?.realm ?? "";
      return {
        said: `${impiOf(file)} answers for the realm "${used}"; the challenge is of the realm "${wanted}".`,
        evidence: evidence(...lastRound(file), step, file.refusal?.step),
      };
    },
  },
  {
    id: "algorithm-mismatch",
    find(file) {
      const step = wrongIn(file, "algorithm");
      if (step === undefined) return undefined;
      const used = attemptsIn(file, file.method).at(-1)?.algorithm || "MD5";
      const offered = challengesIn(file, file.method).at(-1)?.algorithm || "MD5";
      return {
        said: `${impiOf(file)} answers with ${used}; ${offered} was offered.`,
        evidence: evidence(...lastRound(file), step, file.refusal?.step),
      };
    },
  },
  {
    id: "wrong-password",
    find(file) {
      const step = wrongIn(file, "response");
      if (step === undefined || isAka(fieldOf(step, "algorithm") ?? "")) return undefined;
      return {
        said: `The answer of ${impiOf(file)} does not fit the password that the HSS has.`,
        evidence: evidence(...lastRound(file), step, file.refusal?.step),
      };
    },
  },
  {
    id: "stale-nonce-loop",
    find(file) {
      const stale = challengesIn(file, file.method).filter((challenge) => challenge.stale);
      if (stale.length < STALE_CHALLENGES || succeeded(file)) return undefined;
      const nonces = new Set(
        attemptsIn(file, file.method).flatMap(({ nonce, responds }) => (responds ? [nonce] : [])),
      );
      return {
        said: `${impiOf(file)} was told ${stale.length} times that its nonce is old; it has used ${nonces.size === 1 ? "one nonce all the time" : `${nonces.size} nonces`}.`,
        evidence: evidence(...stale.map(({ event }) => event.step)),
      };
    },
  },
  {
    id: "challenge-not-answered",
    find(file, { now }) {
      const { final, method } = file;
      if (final === undefined || (final.message.status !== 401 && final.message.status !== 407))
        return undefined;
      const last = file.received(method).at(-1);
      if (last !== undefined && last.step.time > final.step.time) return undefined;
      if (now - final.step.time < UNANSWERED_MS) return undefined;
      const attempt = attemptsIn(file, method).at(-1);
      // Whoever has answered once has another trouble.
      if (attempt !== undefined && (attempt.responds || attempt.resynchronises)) return undefined;
      return {
        said: `The challenge was sent to ${final.step.ends?.remote ?? "the UE"} and nothing came back.`,
        evidence: evidence(last?.step, final.step),
      };
    },
  },
  {
    id: "sqn-resynchronised",
    find(file) {
      const attempts = attemptsIn(file, file.method).filter(({ resynchronises }) => resynchronises);
      if (attempts.length === 0 || !succeeded(file)) return undefined;
      return {
        said: `The SIM of ${impiOf(file)} asked for a newer sequence number and got it.`,
        evidence: evidence(...attempts.map(({ event }) => event.step), file.final?.step),
      };
    },
  },
];

function succeeded({ final }: CaseFile): boolean {
  return final !== undefined && final.message.status < 300;
}

/** What the S-CSCF said was wrong with the answer to its challenge, when that was the end of it. */
function wrongIn(file: CaseFile, what: string): NodeStep | undefined {
  if (file.refusal === undefined) return undefined;
  const last = file.decisions("authentication").at(-1);
  return last !== undefined && fieldOf(last, "wrong") === what ? last : undefined;
}

function wrongAka(file: CaseFile, fits: (step: NodeStep) => boolean): Finding | undefined {
  const step = wrongIn(file, "response");
  if (step === undefined || !isAka(fieldOf(step, "algorithm") ?? "") || !fits(step)) return undefined;
  return {
    said: `The answer of ${impiOf(file)} to the AKA challenge is not the one that the HSS expects.`,
    evidence: evidence(...lastRound(file), step, file.refusal?.step),
  };
}

/** The last challenge and the answer to it. */
function lastRound(file: CaseFile): readonly (NodeStep | undefined)[] {
  return [
    challengesIn(file, file.method).at(-1)?.event.step,
    attemptsIn(file, file.method).at(-1)?.event.step,
  ];
}

function refusalBy(
  file: CaseFile,
  status: number,
): { readonly why: string; readonly step: NodeStep } | undefined {
  if (file.refusal?.message.status !== status) return undefined;
  const origin = file.originOf(status);
  return origin?.kind === "core" ? origin : undefined;
}
