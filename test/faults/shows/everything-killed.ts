import { createSocket } from "node:dgram";
import { setTimeout as delay } from "node:timers/promises";
import { parseMessage, SipMessage } from "@ims/sip";
import type { Violation } from "../history/violation.ts";
import { DigestAnswers } from "../load/digest.ts";
import type { Subscriber } from "../load/load.ts";
import type { Edge } from "../load/world.ts";
import { MachineWatch } from "../machine/machine-watch.ts";
import type { Bench } from "../run/bench.ts";
import { assignments } from "../run/run-cell.ts";
import { UE_ADDRESS } from "../system/namespaces.ts";
import { atLeast, type Show } from "./show.ts";

const BINDINGS = 10_000;
/** Long enough that all are registered, everything is killed and back before the first one is due, s. */
const EXPIRES_S = 240;
/** At the same time; a second is a good while on a machine that runs everything at once. */
const AT_ONCE = 40;
/** After the last one is due, ms. The calendar looks by the minute, a lease may have to run out first. */
const GRACE_MS = 150_000;

/** So many bindings, everything killed and started again: each lapses when it is due, once. */
export const EVERYTHING_KILLED: Show = {
  name: "everything-killed",
  options: { subscribers: BINDINGS, registers: 0, calls: 0 },
  run: async (bench, say) => {
    const { core, load, subscribers } = bench;
    const watch = new MachineWatch();
    const began = performance.now();
    const failed = await registerEach(bench, subscribers, load.world.edges);
    const registered = performance.now();
    say(
      `  ${subscribers.length - failed} registered in ${Math.round((registered - began) / 1000)} s, ${failed} not`,
    );
    const due = registered + EXPIRES_S * 1000;

    for (const member of core.members) core.signal(member, "SIGKILL");
    await delay(1_000);
    for (const pool of ["cassandra", "memcached", "homestead", "sprout", "bono"])
      await Promise.all(core.pool(pool).map((member) => core.startAgain(member)));
    say(`  everything killed, and back after ${Math.round((performance.now() - registered) / 1000)} s`);
    const early = await lapsedSoFar(bench);
    say(`  ${early} lapsed so far; the last is due in ${Math.round((due - performance.now()) / 1000)} s`);
    while (performance.now() < due + GRACE_MS && (await lapsedSoFar(bench)) < BINDINGS) await delay(2_000);
    await delay(5_000);
    const lapsed = await lapsedSoFar(bench);
    const assigned = await assignments(core);
    // Nobody registers any more since everything was started again: each assignment is a lapse.
    say(`  ${lapsed} lapsed, the HSS heard of ${assigned ?? "an unknown number"}`);
    return {
      cell: "kill/everything/everything-killed",
      ...{
        faults: [],
        registrations: subscribers.length,
        calls: 0,
        failed,
        helped: 0,
        p99: 0,
        machine: watch.end(),
      },
      violations: [...exactly("bindings lapsed", lapsed), ...exactly("the HSS heard of", assigned ?? 0)],
    };
  },
  limits: ({ registrations, failed }) => atLeast("bindings", registrations - failed, BINDINGS),
};

function exactly(subject: string, value: number): Violation[] {
  if (value === BINDINGS) return [];
  const rule = value > BINDINGS ? "double effect" : "too little done";
  return [{ rule, subject, what: `${value} of ${BINDINGS}` }];
}

async function lapsedSoFar({ core }: Bench): Promise<number> {
  const each = await Promise.all(
    core.pool("sprout").map((sprout) => core.metric(sprout, "ims_sprout_registrations_total", '"lapsed"')),
  );
  return each.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

/** Registers each subscriber once, from one UDP socket; says how many could not. */
async function registerEach(
  { core }: Bench,
  subscribers: readonly Subscriber[],
  edges: readonly Edge[],
): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, UE_ADDRESS, resolve));
  const waiting = new Map<string, (response: SipMessage) => void>();
  socket.on("message", (data) => {
    const parsed = parseMessage(data.toString("latin1"));
    if (parsed.kind === "message") waiting.get(parsed.message.topVia?.branch ?? "")?.(parsed.message);
  });
  const { port } = socket.address();
  const ask = async (text: string, branch: string, edge: Edge): Promise<SipMessage | undefined> => {
    const answer = new Promise<SipMessage>((resolve) => waiting.set(branch, resolve));
    for (let tries = 0, wait = 500; tries < 5; tries++, wait *= 2) {
      socket.send(Buffer.from(text, "latin1"), edge.port, edge.host);
      const got = await Promise.race([answer, delay(wait, undefined)]);
      if (got !== undefined) {
        waiting.delete(branch);
        return got;
      }
    }
    waiting.delete(branch);
    return undefined;
  };
  let failed = 0;
  const left = subscribers.map((subscriber, index) => ({ subscriber, index }));
  const work = async (): Promise<void> => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      const { subscriber, index } = one;
      const edge = edges[index % edges.length];
      if (edge === undefined) throw new RangeError("no edge node");
      const { user, password } = subscriber;
      const digest = new DigestAnswers({ username: `${user}@${core.domain}`, password }, core.domain);
      let status = 0;
      for (let round = 1; round <= 2; round++) {
        const branch = `z9hG4bK${user}.${round}`;
        const request = SipMessage.request("REGISTER", `sip:${core.domain}`)
          .append("Via", `SIP/2.0/UDP ${UE_ADDRESS}:${port};branch=${branch};rport`)
          .append("Max-Forwards", "70")
          .append("From", `<sip:${user}@${core.domain}>;tag=${user}`)
          .append("To", `<sip:${user}@${core.domain}>`)
          .append("Call-ID", `lapse-${user}`)
          .append("CSeq", `${round} REGISTER`)
          .append("Contact", `<sip:${user}@${UE_ADDRESS}:${port}>`)
          .append("Expires", String(EXPIRES_S))
          .append("Supported", "path")
          .append("Authorization", digest.authorization(`sip:${core.domain}`))
          .append("Content-Length", "0");
        const answer = await ask(request.toString(), branch, edge);
        status = answer?.status ?? 0;
        if (status === 401) digest.challenged(answer?.header("WWW-Authenticate") ?? "");
        else break;
      }
      if (status !== 200) failed++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  socket.close();
  return failed;
}
