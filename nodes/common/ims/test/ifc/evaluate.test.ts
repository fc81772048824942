import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compileFilterCriteria,
  type EvaluatedRequest,
  type InitialFilterCriteria,
  nextMatching,
  RegistrationType,
  type ServicePointTrigger,
  SessionCase,
  type TriggerCondition,
  type TriggerPoint,
} from "../../src/index.ts";

const headers: Readonly<Record<string, readonly string[]>> = {
  From: ["<sip:alice@example.com>;tag=1"],
  Accept: ["application/sdp", "text/plain"],
  "P-Access-Network-Info": ["IEEE-802.11"],
};

function request(overrides: Partial<EvaluatedRequest> = {}): EvaluatedRequest {
  return {
    method: "INVITE",
    requestUri: "sip:+16505550001@example.com;user=phone",
    sessionCase: SessionCase.ORIGINATING_REGISTERED,
    registered: true,
    sdp: "v=0\r\nm=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 34\r\n",
    header: (name) =>
      Object.entries(headers).find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1] ?? [],
    headerNames: () => Object.keys(headers),
    ...overrides,
  };
}

function criteria(
  trigger: TriggerPoint | undefined,
  more: Partial<InitialFilterCriteria> = {},
): InitialFilterCriteria {
  return {
    priority: 1,
    trigger,
    applicationServer: {
      serverName: "sip:as.example.com",
      defaultHandling: "continue",
      includeRegisterRequest: false,
      includeRegisterResponse: false,
    },
    ...more,
  };
}

function spt(condition: TriggerCondition, negated = false): ServicePointTrigger {
  return { condition, negated };
}

function holds(trigger: TriggerPoint | undefined, on = request()): boolean {
  return nextMatching(compileFilterCriteria([criteria(trigger)]), on) !== undefined;
}

const single = (condition: TriggerCondition, negated = false): TriggerPoint => ({
  form: "cnf",
  groups: [[spt(condition, negated)]],
});

const yes = spt({ kind: "method", method: "INVITE", registrationTypes: [] });
const no = spt({ kind: "method", method: "MESSAGE", registrationTypes: [] });

test("TS 29.228 §B.2.3: each kind of service point trigger, and its negation", () => {
  const cases: [TriggerCondition, boolean][] = [
    [{ kind: "method", method: "INVITE", registrationTypes: [] }, true],
    [{ kind: "method", method: "invite", registrationTypes: [] }, false],
    [{ kind: "requestUri", pattern: "^sip:\\+1650[0-9]{7}@" }, true],
    [{ kind: "requestUri", pattern: "^tel:" }, false],
    [{ kind: "sipHeader", header: "from", content: undefined }, true],
    [{ kind: "sipHeader", header: "From", content: "alice" }, true],
    [{ kind: "sipHeader", header: "Accept", content: "^text/" }, true],
    [{ kind: "sipHeader", header: "Accept", content: "^image/" }, false],
    [{ kind: "sipHeader", header: "P-Access-.*", content: "802" }, true],
    [{ kind: "sipHeader", header: "Subject", content: undefined }, false],
    [{ kind: "sipHeader", header: "__proto__", content: undefined }, false],
    [{ kind: "sessionCase", sessionCase: SessionCase.ORIGINATING_REGISTERED }, true],
    [{ kind: "sessionCase", sessionCase: SessionCase.ORIGINATING_CDIV }, false],
    [{ kind: "sessionDescription", line: "m", content: "^video" }, true],
    [{ kind: "sessionDescription", line: "m", content: "^text" }, false],
    [{ kind: "sessionDescription", line: "k", content: undefined }, false],
  ];
  for (const [condition, expected] of cases) {
    assert.equal(holds(single(condition)), expected, JSON.stringify(condition));
    assert.equal(holds(single(condition, true)), !expected, `not ${JSON.stringify(condition)}`);
  }
});

test("TS 29.228 §B.2.3.2: a registration type narrows REGISTER", () => {
  const trigger = single({
    kind: "method",
    method: "REGISTER",
    registrationTypes: [RegistrationType.INITIAL],
  });
  const register = (registrationType?: RegistrationType) => request({ method: "REGISTER", registrationType });
  assert.equal(holds(trigger, register(RegistrationType.INITIAL)), true);
  assert.equal(holds(trigger, register(RegistrationType.DE_REGISTRATION)), false);
  assert.equal(holds(trigger, register()), false);
});

test("TS 29.228 §B.2.2: conjunctive and disjunctive normal form", () => {
  assert.equal(holds({ form: "cnf", groups: [[yes, no], [yes]] }), true);
  assert.equal(holds({ form: "cnf", groups: [[yes, no], [no]] }), false);
  assert.equal(holds({ form: "dnf", groups: [[yes, no], [yes]] }), true);
  assert.equal(holds({ form: "dnf", groups: [[yes, no], [no]] }), false);
  assert.equal(holds({ form: "dnf", groups: [] }), true);
  assert.equal(holds(undefined), true);
});

test("TS 29.228 §B.2.2: the profile part decides by registration", () => {
  const [registered, unregistered] = (["registered", "unregistered"] as const).map((profilePart) =>
    compileFilterCriteria([criteria(undefined, { profilePart })]),
  );
  assert.ok(registered && unregistered);
  assert.ok(nextMatching(registered, request()));
  assert.equal(nextMatching(registered, request({ registered: false })), undefined);
  assert.equal(nextMatching(unregistered, request()), undefined);
  assert.ok(nextMatching(unregistered, request({ registered: false })));
});

test("TS 23.218 §5.2.2: criteria are met in order of priority, each once", () => {
  const compiled = compileFilterCriteria([
    criteria(undefined, { priority: 30 }),
    criteria({ form: "cnf", groups: [[no]] }, { priority: 20 }),
    criteria(undefined, { priority: 10 }),
  ]);
  const first = nextMatching(compiled, request());
  assert.deepEqual([first?.criteria.priority, first?.position], [10, 0]);
  const second = nextMatching(compiled, request(), 1);
  assert.deepEqual([second?.criteria.priority, second?.position], [30, 2]);
  assert.equal(nextMatching(compiled, request(), 3), undefined);
});

test("a malformed expression holds for no request, negated or not", () => {
  for (const negated of [false, true]) {
    assert.equal(holds(single({ kind: "requestUri", pattern: "(" }, negated)), false);
    assert.equal(holds(single({ kind: "sipHeader", header: "From", content: "[" }, negated)), false);
    assert.equal(holds(single({ kind: "sessionDescription", line: "m", content: "*" }, negated)), false);
  }
});

test("criteria that cost too much do not match, and the loop goes on in milliseconds", () => {
  const patterns = [
    "(a?){255}(a*)*b",
    "((a|a)*)*c",
    "(.*.*.*=.*)*z",
    "((a{1,50}){1,40}|x)*y",
    "(()|()|()|a)*b",
  ];
  const groups = Array.from({ length: 200 }, (_, index) => [
    spt(
      { kind: "sipHeader", header: ".*", content: patterns[index % patterns.length] ?? "" },
      index % 2 === 0,
    ),
  ]);
  const hostile = compileFilterCriteria([
    criteria({ form: "dnf", groups }),
    criteria({ form: "cnf", groups }, { priority: 2 }),
  ]);
  const long = request({ header: () => ["a".repeat(60_000)], requestUri: `sip:${"a".repeat(60_000)}` });
  nextMatching(hostile, long);
  const spent: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = process.cpuUsage();
    nextMatching(hostile, long);
    spent.push(process.cpuUsage(began).user / 1000);
  }
  assert.ok(Math.min(...spent) < 20, `${spent} ms`);
  // Nothing of it is left to the next request.
  const good = compileFilterCriteria([criteria(single({ kind: "requestUri", pattern: "example" }))]);
  assert.ok(nextMatching(good, request()));
});
