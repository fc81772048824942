import assert from "node:assert/strict";
import { test } from "node:test";
import { Trail, type TrailContent, type TrailReader } from "@ims/runtime";
import { fakeClock } from "../../testing/index.ts";

const ORIGIN = Date.UTC(2026, 0, 1);
const ENDS = { protocol: "UDP", local: "127.0.0.1:5060", remote: "127.0.0.2:5060" };

/** Lines "callId icid session identity", each of them "-" where there is none. */
const lines: TrailReader = {
  read(bytes): TrailContent | undefined {
    const text = bytes.toString("latin1");
    if (text === "broken") return undefined;
    const [callId, icid, session, identity] = text.split(" ").map((one) => (one === "-" ? undefined : one));
    return {
      kind: "line",
      title: text,
      text,
      callId,
      icid,
      session,
      identities: identity === undefined ? [] : [identity],
    };
  },
};

function start(
  bytes = 100_000,
  steps = 1_000,
): { trail: Trail; kind: number; clock: ReturnType<typeof fakeClock> } {
  const clock = fakeClock();
  const trail = new Trail({ bytes, steps, clock, origin: () => ORIGIN });
  return { trail, kind: trail.addReader("line", lines), clock };
}

async function titles(trail: Trail, keys: readonly string[], more: object = {}): Promise<string[]> {
  const { steps } = await trail.find({ keys, limit: 100, text: false, ...more });
  return steps.map(({ title }) => title);
}

test("steps are found by Call-ID, ICID, and any way to write who they concern", async () => {
  const { trail, kind } = start();
  const said = [
    "c1 i1 - sip:alice@example.com",
    "c2 - - sips:Alice@EXAMPLE.com;user=phone",
    "c3 - - 001010123456789@ims.mnc001.mcc001.3gppnetwork.org",
    "c4 i4 - tel:+4930123",
    "c11 i1 - sip:alice.b@example.com",
  ];
  for (const text of said) trail.text(kind, "in", ENDS, text);
  assert.deepEqual(await titles(trail, ["c1"]), [said[0]], "not c11");
  assert.deepEqual(await titles(trail, ["i1"]), [said[0], said[4]]);
  assert.deepEqual(await titles(trail, ["sip:alice@example.com"]), [said[0]]);
  assert.deepEqual(await titles(trail, ["alice@Example.Com"]), [said[0]]);
  assert.deepEqual(await titles(trail, ["sip:Alice@example.com"]), [said[1]], "the user part has a case");
  assert.deepEqual(await titles(trail, ["001010123456789"]), [said[2]]);
  assert.deepEqual(await titles(trail, ["00101012345678"]), [], "a part of an IMSI is another one");
  assert.deepEqual(await titles(trail, ["+4930123"]), [said[3]]);
  assert.deepEqual(await titles(trail, ["alice"]), [said[0]]);
  assert.deepEqual(await titles(trail, ["c4", "c3"]), [said[2], said[3]], "in order of time");
  for (const key of ["__proto__", "", "@", "nobody@example.com"])
    assert.deepEqual(await titles(trail, [key]), []);
});

test("an answer that names nobody comes with the request of its session", async () => {
  const { trail, kind } = start();
  trail.text(kind, "out", ENDS, "- - s;1 alice@example.com");
  trail.text(kind, "out", ENDS, "- - s;2 bob@example.com");
  trail.text(kind, "in", ENDS, "- - s;2 -");
  trail.text(kind, "in", ENDS, "- - s;1 -");
  assert.deepEqual(await titles(trail, ["alice@example.com"]), ["- - s;1 alice@example.com", "- - s;1 -"]);
});

test("a step has its time, direction and ends; the message itself only for who asks", async () => {
  const { trail, kind, clock } = start();
  clock.advance(1_500.25);
  trail.text(kind, "out", ENDS, "c1 - - -");
  const { steps, oldest, truncated } = await trail.find({ keys: ["c1"], limit: 1, text: true });
  assert.deepEqual([oldest, truncated], [ORIGIN + 1_500.25, false]);
  const [step] = steps;
  assert.deepEqual(
    [step?.time, step?.direction, step?.ends, step?.text, step?.sequence],
    [ORIGIN + 1_500.25, "out", ENDS, "c1 - - -", 0],
  );
  const without = await trail.find({ keys: ["c1"], limit: 1, text: false });
  assert.equal(without.steps[0]?.text, undefined);
});

test("times, kinds and a limit narrow a search; the oldest are left out", async () => {
  const { trail, kind, clock } = start();
  for (let index = 0; index < 5; index++) {
    trail.text(kind, "in", ENDS, `c1 ${index} - -`);
    clock.advance(1_000);
  }
  trail.decided("c1", "ENUM", { found: "nothing" });
  assert.deepEqual(await titles(trail, ["c1"], { since: ORIGIN + 2_000, until: ORIGIN + 3_000 }), [
    "c1 2 - -",
    "c1 3 - -",
  ]);
  assert.deepEqual(await titles(trail, ["c1"], { kinds: ["decision"] }), ["ENUM: found nothing"]);
  const { steps, truncated } = await trail.find({ keys: ["c1"], kinds: ["line"], limit: 2, text: false });
  assert.deepEqual([steps.map(({ icid }) => icid), truncated], [["3", "4"], true]);
});

test("notes keep what they are told, whatever is in it, in one line", async () => {
  const { trail } = start();
  trail.note({
    kind: "store",
    callId: "",
    what: "get",
    identities: ["sip:jürgen@example.com"],
    fields: { table: "aor\r\nx=y", ms: 12, none: undefined, long: "x".repeat(9_000) },
  });
  const { steps } = await trail.find({ keys: ["sip:jürgen@example.com"], limit: 9, text: true });
  const { kind, callId, identities, fields } = steps[0] ?? assert.fail();
  assert.deepEqual([kind, callId, identities], ["store", undefined, ["sip:jürgen@example.com"]]);
  assert.deepEqual([fields?.["table"], fields?.["ms"], fields?.["none"]], ["aor x=y", "12", undefined]);
  assert.ok(String(fields?.["long"]).length < 600);
});

test("a search gives way to other work, and bears that steps go meanwhile", async () => {
  const { trail, kind } = start(4_000_000, 30_000);
  for (let index = 0; index < 30_000; index++) trail.text(kind, "in", ENDS, `c1 ${index} - -`.padEnd(120));
  let turns = 0;
  let over = false;
  const flood = async (): Promise<void> => {
    while (!over) {
      turns++;
      for (let index = 0; index < 3_000; index++) trail.text(kind, "in", ENDS, `c2 ${turns} - -`.padEnd(120));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const flooding = flood();
  const keys = Array.from({ length: 30 }, (_, index) => `nobody-${index}@example.com`);
  const { steps } = await trail.find({ keys: [...keys, "c1"], limit: 5_000, text: true });
  over = true;
  await flooding;
  assert.ok(turns > 2, `${turns} turns`);
  for (const step of steps) assert.match(step.title, /^c1 [0-9]+ - - *$/);
});

test("an exporter sees each step once, when it is recorded, until it is taken off", () => {
  const { trail, kind } = start();
  const seen: string[] = [];
  const end = trail.attach(({ kind: name, direction, bytes, start: from, end: to }) =>
    seen.push(`${name} ${direction} ${bytes.toString("latin1", from, to)}`),
  );
  trail.text(kind, "in", ENDS, "one");
  const bytes = Buffer.from("xxtwoxx");
  trail.octets(kind, "out", ENDS, bytes, 2, 5, (copy, from) => copy.fill("T", from, from + 1));
  end();
  trail.text(kind, "in", ENDS, "three");
  assert.deepEqual(seen, ["line in one", "line out Two"]);
  assert.equal(bytes.toString(), "xxtwoxx");
});

test("what is longer than all that may be kept is cut, what cannot be made out is left out", async () => {
  const { trail, kind } = start(64);
  trail.text(kind, "in", ENDS, "broken");
  assert.deepEqual(await titles(trail, ["broken"]), []);
  trail.text(kind, "in", ENDS, "c1 - - -".padEnd(500, "z"));
  trail.note({ kind: "decision", callId: "x".repeat(500), what: "y" });
  assert.deepEqual(await titles(trail, ["c1"]), ["c1 - - -".padEnd(64, "z")]);
});
