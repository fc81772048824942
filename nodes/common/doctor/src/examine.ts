import {
  akaAnswerSchema,
  ManagementError,
  type Registrations,
  readRegistrations,
  type Subscriber,
} from "@ims/api";
import { CaseFile, fieldOf } from "./case/case-file.ts";
import type { AkaFits, CaseFacts } from "./case/finding.ts";
import { coreFacts, type NodeAlarm } from "./core/core-facts.ts";
import { HomeSubscribers, type Looked } from "./core/home-subscriber.ts";
import { identitiesOf } from "./core/key.ts";
import { type Diagnosis, diagnose } from "./diagnose.ts";
import { diagnoseSubscriber } from "./subject/subscriber-state.ts";
import type { NodeStep } from "./trail/ask-node.ts";
import { type Exchange, startOf, summaryOf } from "./trail/exchange.ts";
import { gather } from "./trail/gather.ts";
import type { TrailNode } from "./trail/trail-node.ts";

export interface ExamineOptions {
  /** How many registrations and calls, the latest. */
  readonly last: number;
  /** Management token of the nodes; needed beyond loopback. */
  readonly token?: string | undefined;
  /** How long a node may take for one answer, ms; default: 5 s, in its trail 10 s. */
  readonly patienceMs?: number | undefined;
  /** Default: where homestead says that it is. */
  readonly provisioning?: { readonly url?: string | undefined; readonly token?: string | undefined };
}

/** One registration or call with what is to be said of it. */
export interface Examined {
  readonly exchange: Exchange;
  /** ms since the epoch. */
  readonly start: number;
  readonly method: string;
  readonly from: string;
  readonly to: string;
  readonly outcome: string;
  /** It ended with an answer that means no. */
  readonly failed: boolean;
  readonly diagnoses: readonly Diagnosis[];
}

/** Somebody whom the name, or the call, is about. */
export interface Subject {
  readonly identity: string;
  /** As the HSS has him, without secrets; undefined: it does not know him, or cannot be asked. */
  readonly subscriber: Subscriber | undefined;
  /** What it said. */
  readonly hss: "found" | "unknown" | "without a set" | "not asked";
  /** As the S-CSCF has him at this moment; undefined: it cannot be asked. */
  readonly registrations: Registrations["registrations"] | undefined;
}

export interface Examination {
  readonly key: string;
  readonly subjects: readonly Subject[];
  readonly exchanges: readonly Examined[];
  /** Of the subscriber as a whole. */
  readonly diagnoses: readonly Diagnosis[];
  readonly alarms: readonly NodeAlarm[];
  /** Registrations and calls that were left out. */
  readonly earlier: number;
  /** Of the oldest step that any node still has, ms since the epoch. */
  readonly oldest: number | undefined;
  /** What could not be asked, one line each: the answer is a part of the truth. */
  readonly problems: readonly string[];
}

/** At most: the two ends of a call. */
const MOST_SUBJECTS = 2;

/** Everything that a core knows of a subscriber's last registrations and calls, or of one call, with diagnoses. Never rejects for a node that is away. */
export async function examine(
  nodes: readonly TrailNode[],
  key: string,
  { last, token, patienceMs, provisioning = {} }: ExamineOptions,
): Promise<Examination> {
  // 1. What happened, and what the nodes say of themselves.
  const [gathered, core] = await Promise.all([
    gather(nodes, key, { last, text: true, token, patienceMs }),
    coreFacts(nodes, token, patienceMs),
  ]);
  const { exchanges, earlier, oldest, pushed } = gathered;
  const problems = [...gathered.problems];
  const url = provisioning.url ?? core.provisioningUrl;
  const hss = url === undefined ? undefined : new HomeSubscribers(url, provisioning.token);

  // 2. Who it is.
  const subjects = await Promise.all(
    whoIn(key, exchanges).map((one) =>
      subjectOf(one, { hss, nodes, token, homeDomain: core.homeDomain, exchanges }),
    ),
  );

  // 3. What the messages alone do not tell.
  const known = await privateIdentitiesIn(exchanges, hss);
  const fits = await akaFitsIn(exchanges, hss);
  const now = Date.now();
  const facts: CaseFacts = {
    homeDomain: core.homeDomain,
    subscriber: (impi) => {
      const looked = known.get(impi);
      if (looked === undefined || looked.kind === "away") return undefined;
      return looked.kind === "found" ? looked.subscriber : looked.kind;
    },
    akaFits: (step) => fits.get(stepName(step)),
    now,
  };
  const examined = exchanges.map((exchange) => examinedOf(exchange, facts));
  const [subject] = subjects;
  const isCall = exchanges.some(({ callIds, icids }) => callIds.includes(key) || icids.includes(key));
  if (hss === undefined)
    problems.push("no homestead says where its provisioning API is: what the HSS has is not known");
  else if (hss.problem !== undefined) problems.push(hss.problem);
  return {
    key,
    subjects,
    exchanges: examined.map((one, index) => withOver(one, examined.slice(index + 1))),
    diagnoses: isCall
      ? []
      : diagnoseSubscriber(exchanges, { registrations: subject?.registrations, pushed, now }),
    alarms: core.alarms,
    ...{ earlier, oldest, problems },
  };
}

function examinedOf(exchange: Exchange, facts: CaseFacts): Examined {
  const file = new CaseFile(exchange);
  const { method, final, first } = file;
  // What was refused before it was read has no request in the trail.
  const named = (first ?? file.events[0])?.step;
  const text = (name: string): string => (named && fieldOf(named, name)) ?? "";
  return {
    exchange,
    start: startOf(exchange),
    ...{ method, from: text("from"), to: text("to") },
    outcome: final === undefined ? "no final answer" : `${final.message.status} ${final.message.reason}`,
    failed: file.refusal !== undefined,
    diagnoses: diagnose(file, facts),
  };
}

/** A registration that failed, and then succeeded. */
function withOver(one: Examined, later: readonly Examined[]): Examined {
  if (one.method !== "REGISTER" || one.diagnoses.length === 0) return one;
  const over = later.some(
    ({ method, to, outcome }) => method === "REGISTER" && to === one.to && outcome.startsWith("2"),
  );
  return over ? { ...one, diagnoses: one.diagnoses.map((diagnosis) => ({ ...diagnosis, over })) } : one;
}

/** The name itself, or both ends of the call that it names. */
function whoIn(key: string, exchanges: readonly Exchange[]): readonly string[] {
  const call = exchanges.find(({ callIds, icids }) => callIds.includes(key) || icids.includes(key));
  if (call === undefined) return [key];
  const { from, to } = summaryOf(call);
  return [...new Set([from, to])].filter((one) => one !== "").slice(0, MOST_SUBJECTS);
}

async function subjectOf(
  name: string,
  {
    hss,
    nodes,
    token,
    homeDomain,
    exchanges,
  }: {
    readonly hss: HomeSubscribers | undefined;
    readonly nodes: readonly TrailNode[];
    readonly token: string | undefined;
    readonly homeDomain: string | undefined;
    readonly exchanges: readonly Exchange[];
  },
): Promise<Subject> {
  const looked = hss === undefined ? undefined : await lookUp(name, hss, homeDomain, exchanges);
  const subscriber = looked?.kind === "found" ? looked.subscriber : undefined;
  const identity =
    subscriber?.publicIdentities.find(({ barred }) => !barred)?.impu ??
    identitiesOf(name, homeDomain)[0] ??
    name;
  return {
    identity,
    subscriber,
    hss: looked === undefined || looked.kind === "away" ? "not asked" : looked.kind,
    registrations: await registrationsOf(identity, nodes, token),
  };
}

/** By a private identity of that name, by what it may be as a public one, or by who registered under it. */
async function lookUp(
  name: string,
  hss: HomeSubscribers,
  homeDomain: string | undefined,
  exchanges: readonly Exchange[],
): Promise<Looked> {
  const isUri = /^(?:sips?|tel):/i.test(name);
  const privates = isUri
    ? []
    : name.includes("@")
      ? [name]
      : homeDomain === undefined
        ? []
        : [`${name}@${homeDomain}`];
  // An IMSI is the user part of a private identity of whatever realm.
  const named = isUri
    ? []
    : [...userNamesIn(exchanges)].filter((impi) => impi === name || impi.startsWith(`${name}@`));
  let last: Looked = { kind: "unknown" };
  for (const impi of new Set([...privates, ...named])) {
    last = await hss.byPrivateIdentity(impi);
    if (last.kind !== "unknown") return last;
  }
  for (const impu of identitiesOf(name, homeDomain)) {
    last = await hss.byPublicIdentity(impu);
    if (last.kind !== "unknown") return last;
  }
  return last;
}

/** From any sprout: they share what they keep. */
async function registrationsOf(
  identity: string,
  nodes: readonly TrailNode[],
  token: string | undefined,
): Promise<Registrations["registrations"] | undefined> {
  for (const { name, url } of nodes) {
    if (!name.startsWith("sprout")) continue;
    try {
      return (await readRegistrations({ url, token, deadlineMs: 5_000 }, identity)).registrations;
    } catch (error) {
      if (!(error instanceof ManagementError)) throw error;
    }
  }
  return undefined;
}

/** Private identities that were asked of the HSS, or that credentials name. */
function userNamesIn(exchanges: readonly Exchange[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { steps } of exchanges)
    for (const step of steps) {
      const name = fieldOf(step, step.kind === "cx" ? "userName" : "impi");
      if (name !== undefined) found.add(name);
    }
  return found;
}

async function privateIdentitiesIn(
  exchanges: readonly Exchange[],
  hss: HomeSubscribers | undefined,
): Promise<ReadonlyMap<string, Looked>> {
  if (hss === undefined) return new Map();
  const names = [...userNamesIn(exchanges)].slice(0, 20);
  return new Map(
    await Promise.all(names.map(async (impi) => [impi, await hss.byPrivateIdentity(impi)] as const)),
  );
}

/** Answers to AKA challenges that were wrong, as sprout has told the trail of them. */
async function akaFitsIn(
  exchanges: readonly Exchange[],
  hss: HomeSubscribers | undefined,
): Promise<ReadonlyMap<string, AkaFits>> {
  const fits = new Map<string, AkaFits>();
  if (hss === undefined) return fits;
  for (const { steps } of exchanges)
    for (const step of steps) {
      const proof = fieldOf(step, "what") === "authentication" ? fieldOf(step, "proof") : undefined;
      const impi = fieldOf(step, "impi");
      if (proof === undefined || impi === undefined) continue;
      const answer = akaAnswerSchema.safeParse(jsonOf(Buffer.from(proof, "base64url").toString("utf8")));
      const verdict = answer.success ? await hss.akaFits(impi, answer.data) : undefined;
      if (verdict !== undefined) fits.set(stepName(step), verdict);
    }
  return fits;
}

function stepName({ node, sequence }: NodeStep): string {
  return `${node} ${sequence}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
