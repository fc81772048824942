import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  compileFilterCriteria,
  type EvaluatedRequest,
  type InitialFilterCriteria,
  nextMatching,
  type ServicePointTrigger,
  type TriggerCondition,
  type TriggerPoint,
} from "../../src/index.ts";

/** Expressions that mean the same to IEEE 1003.1 and to JavaScript. */
const atom = fc.constantFrom("a", "b", "s", ".", "[ab]", "[^a]", "(a|b)", "(ab)");
const pattern = fc
  .array(fc.tuple(atom, fc.constantFrom("", "*", "+", "?", "{1,2}")), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map(([one, times]) => one + times).join(""))
  .chain((body) => fc.constantFrom(body, `^${body}`, `${body}$`, `^${body}$`));
const word = fc.string({ unit: fc.constantFrom("a", "b", "s"), maxLength: 6 });

const condition: fc.Arbitrary<TriggerCondition> = fc.oneof(
  fc.record({
    kind: fc.constant("method" as const),
    method: fc.constantFrom("INVITE", "REGISTER"),
    registrationTypes: fc.subarray([0, 1, 2] as const),
  }),
  fc.record({ kind: fc.constant("requestUri" as const), pattern }),
  fc.record({
    kind: fc.constant("sipHeader" as const),
    header: fc.constantFrom("A", "b", "(A|B)", "C"),
    content: fc.option(pattern, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant("sessionCase" as const),
    sessionCase: fc.constantFrom(0, 1, 2, 3, 4),
  }),
  fc.record({
    kind: fc.constant("sessionDescription" as const),
    line: fc.constantFrom("a", "b", "[ab]"),
    content: fc.option(pattern, { nil: undefined }),
  }),
);
const spt: fc.Arbitrary<ServicePointTrigger> = fc.record({ negated: fc.boolean(), condition });
const trigger: fc.Arbitrary<TriggerPoint> = fc.record({
  form: fc.constantFrom("cnf", "dnf"),
  groups: fc.array(fc.array(spt, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
});
const criteria: fc.Arbitrary<InitialFilterCriteria> = fc.record({
  priority: fc.nat(5),
  trigger: fc.option(trigger, { nil: undefined }),
  applicationServer: fc.constant({
    serverName: "sip:as.example.com",
    defaultHandling: "continue" as const,
    includeRegisterRequest: false,
    includeRegisterResponse: false,
  }),
  profilePart: fc.constantFrom(undefined, "registered" as const, "unregistered" as const),
});

interface PlainRequest {
  readonly method: string;
  readonly uri: string;
  readonly sessionCase: 0 | 1 | 2 | 3 | 4;
  readonly registered: boolean;
  readonly registrationType: 0 | 1 | 2 | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly lines: readonly (readonly [type: string, value: string])[] | undefined;
}
const plain: fc.Arbitrary<PlainRequest> = fc.record({
  method: fc.constantFrom("INVITE", "REGISTER"),
  uri: word,
  sessionCase: fc.constantFrom(0, 1, 2, 3, 4),
  registered: fc.boolean(),
  registrationType: fc.constantFrom(undefined, 0 as const, 1 as const, 2 as const),
  headers: fc.array(fc.tuple(fc.constantFrom("a", "A", "B", "X"), word), { maxLength: 4 }),
  lines: fc.option(fc.array(fc.tuple(fc.constantFrom("a", "b", "m"), word), { maxLength: 4 }), {
    nil: undefined,
  }),
});

function evaluated(request: PlainRequest): EvaluatedRequest {
  return {
    method: request.method,
    requestUri: request.uri,
    sessionCase: request.sessionCase,
    registered: request.registered,
    registrationType: request.registrationType,
    sdp: request.lines?.map(([type, value]) => `${type}=${value}`).join("\r\n"),
    header: (name) =>
      request.headers.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value),
    headerNames: () => request.headers.map(([name]) => name),
  };
}

/** The clause word for word, on JavaScript's own expressions. */
function holds(one: TriggerCondition, request: PlainRequest): boolean {
  switch (one.kind) {
    case "method": {
      const types: readonly unknown[] = one.registrationTypes;
      return (
        one.method === request.method && (types.length === 0 || types.includes(request.registrationType))
      );
    }
    case "requestUri":
      return new RegExp(one.pattern).test(request.uri);
    case "sessionCase":
      return one.sessionCase === request.sessionCase;
    case "sipHeader":
      return request.headers.some(
        ([name, value]) =>
          new RegExp(`^(${one.header})$`, "i").test(name) &&
          (one.content === undefined || new RegExp(one.content).test(value)),
      );
    case "sessionDescription":
      return (request.lines ?? []).some(
        ([type, value]) =>
          new RegExp(`^(${one.line})$`).test(type) &&
          (one.content === undefined || new RegExp(one.content).test(value)),
      );
  }
}

function naive({ trigger: point, profilePart }: InitialFilterCriteria, request: PlainRequest): boolean {
  if (profilePart === "registered" && !request.registered) return false;
  if (profilePart === "unregistered" && request.registered) return false;
  if (point === undefined || point.groups.length === 0) return true;
  const values = point.groups.map((group) =>
    group.map((each) => holds(each.condition, request) !== each.negated),
  );
  return point.form === "cnf"
    ? values.every((group) => group.includes(true))
    : values.some((group) => !group.includes(false));
}

test("TS 29.228 §B.2.2, §B.2.3, annex C: compiled filter criteria say what the clause says of any request", () => {
  fc.assert(
    fc.property(fc.array(criteria, { maxLength: 4 }), plain, (list, request) => {
      const compiled = compileFilterCriteria(list);
      const ordered = compiled.map((each) => each.criteria);
      const expected = ordered.filter((each) => naive(each, request));
      const met: InitialFilterCriteria[] = [];
      for (let from = 0; ; ) {
        const next = nextMatching(compiled, evaluated(request), from);
        if (next === undefined) break;
        met.push(next.criteria);
        from = next.position + 1;
      }
      assert.deepEqual(met, expected);
    }),
    { numRuns: 2000 },
  );
});

test("TS 29.228 annex C: the truth table of two groups of two, in both forms", () => {
  const request: PlainRequest = {
    method: "INVITE",
    uri: "a",
    sessionCase: 0,
    registered: true,
    registrationType: undefined,
    headers: [],
    lines: undefined,
  };
  const being = (value: boolean): ServicePointTrigger => ({
    negated: false,
    condition: { kind: "method", method: value ? "INVITE" : "BYE", registrationTypes: [] },
  });
  for (let row = 0; row < 16; row++) {
    const [a, b, c, d] = [1, 2, 4, 8].map((bit) => (row & bit) !== 0) as [boolean, boolean, boolean, boolean];
    for (const [form, expected] of [
      ["cnf", (a || b) && (c || d)],
      ["dnf", (a && b) || (c && d)],
    ] as const) {
      const groups = [
        [being(a), being(b)],
        [being(c), being(d)],
      ];
      const list = compileFilterCriteria([
        {
          priority: 0,
          trigger: { form, groups },
          applicationServer: {
            serverName: "sip:as.example.com",
            defaultHandling: "continue",
            includeRegisterRequest: false,
            includeRegisterResponse: false,
          },
        },
      ]);
      assert.equal(nextMatching(list, evaluated(request)) !== undefined, expected, `${form} ${[a, b, c, d]}`);
    }
  }
});
