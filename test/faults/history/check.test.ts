import assert from "node:assert/strict";
import { test } from "node:test";
import { fateOf } from "./bindings.ts";
import type { FaultRecord } from "./calls.ts";
import { checkHistory } from "./check.ts";
import { linearizable } from "./linearizable.ts";
import { type CallOperation, emptyHistory, type RegisterOperation, setupTime } from "./operations.ts";

const AOR = "sip:a@example.com";

function register(change: Partial<RegisterOperation> & { began: number; ended: number }): RegisterOperation {
  return {
    kind: "register",
    purpose: "refresh",
    aor: AOR,
    device: "one",
    transport: "udp",
    outcome: "ok",
    status: 200,
    bonos: ["bono-1"],
    slowest: change.ended - change.began,
    ...change,
  };
}

function call(change: Partial<CallOperation> = {}): CallOperation {
  return {
    kind: "call",
    id: "1",
    caller: "sip:a@example.com",
    callee: "sip:b@example.com",
    transport: "tcp",
    times: {
      ...{ invited: 0, trying: 1, ringing: 10, answered: 115, acked: 115 },
      ...{ calleeInvited: 5, calleeAnswered: 110, calleeAcked: 120, byeSent: 900, byeAnswered: 910 },
    },
    callerBonos: ["bono-1"],
    calleeBonos: ["bono-2"],
    status: 200,
    byeStatus: 200,
    duplicates: 0,
    over: true,
    ...change,
  };
}

const kill = (target: string, at: number): FaultRecord => ({
  ...{ fault: "kill", target, members: [`${target}-1`], at },
});

const rules = (
  registers: RegisterOperation[],
  rest: Partial<ReturnType<typeof emptyHistory>> = {},
  initially: readonly string[] = [],
): string[] =>
  checkHistory({ ...emptyHistory(), registers, ...rest }, [], new Map([[AOR, initially]])).map(
    ({ rule }) => rule,
  );

const audit = (listed: readonly string[] | undefined, reached: readonly string[] = listed ?? []) => ({
  audits: [
    {
      aor: AOR,
      at: 1000,
      reached,
      status: reached.length > 0 ? 200 : 480,
      ...(listed === undefined ? {} : { listed }),
    },
  ],
});

test("a history in which nothing went wrong is accepted", () => {
  const registers = [
    register({ began: 0, ended: 10, purpose: "initial", seen: ["one"] }),
    register({ began: 20, ended: 30, device: "two", purpose: "initial", seen: ["one", "two"] }),
    register({ began: 40, ended: 50, purpose: "remove", seen: ["two"] }),
  ];
  assert.deepEqual(rules(registers, { calls: [call()], ...audit(["two"]) }), []);
});

test("an acknowledged binding that the core no longer lists is lost", () => {
  const lost = rules([register({ began: 0, ended: 10, purpose: "initial", seen: ["one"] })], audit([]));
  assert.deepEqual(lost, ["binding lost", "not reachable"]);
});

test("a binding that was there before and that nobody touched is lost too", () => {
  assert.deepEqual(rules([], audit([]), ["one"]), ["binding lost", "not reachable"]);
});

test("an acknowledged binding that is listed but not reached is refused", () => {
  assert.deepEqual(rules([register({ began: 0, ended: 10, purpose: "initial" })], audit(["one"], [])), [
    "not reachable",
  ]);
});

test("a removed binding that is listed again has come back", () => {
  const registers = [
    register({ began: 0, ended: 10, purpose: "initial" }),
    register({ began: 20, ended: 30, purpose: "remove" }),
  ];
  assert.deepEqual(rules(registers, audit(["one"], ["one"])), ["binding resurrected"]);
});

test("a request to a device that has de-registered shows a binding that came back", () => {
  const registers = [register({ began: 20, ended: 30, purpose: "remove" })];
  const delivery = (at: number) => ({ deliveries: [{ at, aor: AOR, device: "one", method: "INVITE" }] });
  assert.deepEqual(rules(registers, delivery(400), ["one"]), [], "still on its way");
  assert.deepEqual(rules(registers, delivery(900), ["one"]), ["binding resurrected"]);
  const back = [...registers, register({ began: 600, ended: 610, purpose: "initial" })];
  assert.deepEqual(rules(back, delivery(900), ["one"]), [], "registered again");
});

test("a REGISTER without an answer may have been done or not", () => {
  const open = register({ began: 20, ended: 900, purpose: "remove", outcome: "unknown", status: 0 });
  assert.equal(fateOf("one", [open], ["one"]), "either");
  assert.deepEqual(rules([open], audit(["one"]), ["one"]), ["registration failed"]);
  assert.deepEqual(rules([open], audit([], []), ["one"]), ["registration failed"]);
});

test("two devices that overwrite each other's registration are found out", () => {
  const registers = [
    register({ began: 0, ended: 20, device: "one", purpose: "initial", seen: ["one"] }),
    register({ began: 5, ended: 25, device: "two", purpose: "initial", seen: ["two"] }),
  ];
  assert.equal(linearizable(registers, []).kind, "violated");
  assert.deepEqual(rules(registers), ["not linearizable"]);
});

test("concurrent registrations that fit one order are linearizable", () => {
  const registers = [
    register({ began: 0, ended: 20, device: "one", purpose: "initial", seen: ["one", "two"] }),
    register({ began: 5, ended: 25, device: "two", purpose: "initial", seen: ["two"] }),
  ];
  assert.equal(linearizable(registers, []).kind, "linearizable");
});

test("an answer that shows what was true before the REGISTER began is stale", () => {
  const registers = [
    register({ began: 0, ended: 10, device: "one", purpose: "initial", seen: ["one"] }),
    register({ began: 20, ended: 30, device: "two", purpose: "fetch", seen: [] }),
  ];
  assert.deepEqual(rules(registers), ["not linearizable"]);
});

test("a REGISTER of unknown outcome may take effect late, but only once it was sent", () => {
  const late = register({ began: 10, ended: 50, outcome: "unknown", purpose: "initial", device: "two" });
  const read = (began: number, seen: readonly string[]) =>
    register({ began, ended: began + 1, purpose: "fetch", seen });
  assert.equal(linearizable([late, read(20, []), read(60, []), read(70, ["two"])], []).kind, "linearizable");
  assert.equal(linearizable([late, read(5, ["two"])], []).kind, "violated");
  assert.equal(linearizable([late, read(60, ["two"]), read(70, [])], []).kind, "violated");
});

test("a REGISTER without an answer that is sent again may have been done the first time", () => {
  const registers = [
    register({
      ...{ began: 0, ended: 100, purpose: "remove", device: "one", seen: [], unanswered: [0], asked: 90 },
    }),
    register({ began: 60, ended: 80, purpose: "remove", device: "two", seen: [] }),
  ];
  assert.equal(linearizable(registers, ["one", "two"]).kind, "linearizable");
  const stale = register({ began: 120, ended: 130, purpose: "fetch", device: "two", seen: ["one"] });
  assert.equal(linearizable([...registers, stale], ["one", "two"]).kind, "violated");
});

test("a long history of one AoR is decided quickly, lost answers in it or not", () => {
  const registers: RegisterOperation[] = [];
  for (let index = 0; index < 1000; index++) {
    const purpose = index % 2 === 0 ? "initial" : "remove";
    const unknown = index % 100 === 50;
    registers.push(
      register({
        ...{ began: index * 10, ended: index * 10 + 5, purpose },
        ...(unknown
          ? { outcome: "unknown" as const, status: 0 }
          : { seen: purpose === "initial" ? ["one"] : [] }),
      }),
    );
  }
  const began = performance.now();
  assert.equal(linearizable(registers, []).kind, "linearizable");
  assert.ok(performance.now() - began < 2000);
});

test("a call without an answer is lost, and one whose BYE fails cannot be ended", () => {
  const lost = call({ status: 0, times: { invited: 0 } });
  assert.deepEqual(rules([], { calls: [lost] }), ["call lost"]);
  assert.deepEqual(rules([], { calls: [call({ byeStatus: 481 })] }), ["call cannot be ended"]);
  const deaf = call();
  delete deaf.times.calleeAcked;
  assert.deepEqual(rules([], { calls: [deaf] }), [], "ended before the 200 was sent again");
  deaf.times.byeAnswered = 5000;
  assert.deepEqual(rules([], { calls: [deaf] }), ["call lost"]);
});

test("a call is lost with the edge node it is set up over, never with another node", () => {
  const lost = call({ status: 0, times: { invited: 100 } });
  const verdict = (fault: FaultRecord): number =>
    checkHistory({ ...emptyHistory(), calls: [lost] }, [fault], new Map()).length;
  assert.equal(verdict(kill("sprout", 110)), 1);
  assert.equal(verdict(kill("bono", 110)), 0);
  assert.equal(verdict({ ...kill("bono", 110), fault: "restart" }), 1, "a drained node loses nothing");
  assert.equal(verdict({ ...kill("bono", 110), members: ["bono-3"] }), 1, "neither end was on it");
});

test("a call in progress must survive the death of an edge node", () => {
  const stuck = call({ byeStatus: 0 });
  const verdict = checkHistory({ ...emptyHistory(), calls: [stuck] }, [kill("bono", 500)], new Map());
  assert.deepEqual(
    verdict.map(({ rule }) => rule),
    ["call cannot be ended"],
  );
});

test("a BYE over an edge node that is cut off from the core gets no answer; later it does", () => {
  const verdict = (byeSent: number): number => {
    const stuck = call({ byeStatus: 0 });
    stuck.times.byeSent = byeSent;
    const cut = { ...kill("bono", 500), fault: "partition", healed: 5_500 };
    return checkHistory({ ...emptyHistory(), calls: [stuck] }, [cut], new Map()).length;
  };
  assert.equal(verdict(600), 0);
  assert.equal(verdict(60_000), 1);
});

test("one INVITE that arrives twice as a new one is a double effect", () => {
  assert.deepEqual(rules([], { calls: [call({ duplicates: 1 })] }), ["double effect"]);
});

test("a registration that only succeeded because the UE went elsewhere counts against an inner node", () => {
  const helped = register({ began: 0, ended: 600, bonos: ["bono-1", "bono-2"] });
  const verdict = (fault: FaultRecord): string[] =>
    checkHistory({ ...emptyHistory(), registers: [helped] }, [fault], new Map()).map(({ rule }) => rule);
  assert.deepEqual(verdict(kill("sprout", 10)), ["registration helped by the UE"]);
  assert.deepEqual(verdict(kill("bono", 10)), []);
});

test("the time of a call set-up leaves out how long the callee let it ring", () => {
  assert.equal(setupTime(call()), 10);
});
