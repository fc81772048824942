import assert from "node:assert/strict";
import { test } from "node:test";
import type { DnsResolver, NaptrRecord } from "@ims/runtime";
import { fakeClock, fakeResolver, type Zone } from "@ims/runtime/testing";
import { Enum, type EnumOutcome, enumName } from "../../src/routing/enum.ts";
import { enumFile, makeNumberBlocks, type NumberBlocks } from "../../src/routing/enum-file.ts";
import { EnumRules } from "../../src/routing/enum-rules.ts";

const NAME = "1.0.0.0.5.5.5.1.e164.arpa";

function naptr(regexp: string, more: Partial<NaptrRecord> = {}): NaptrRecord {
  return { order: 10, preference: 10, flags: "u", services: "E2U+sip", regexp, replacement: ".", ...more };
}

function lookUp(
  zone: Zone,
  number = "+15550001",
): { outcome: Promise<EnumOutcome>; bad: string[]; asked: readonly string[] } {
  const bad: string[] = [];
  const resolver = fakeResolver(zone);
  const rules = new EnumRules((regexp, reason) => void bad.push(`${regexp}: ${reason}`));
  const dns = { resolver, domain: "e164.arpa", timeoutMs: 500 };
  const outcome = new Enum({ rules, clock: fakeClock(), dns }).find(number);
  return { outcome, bad, asked: resolver.asked };
}

test("RFC 6116 §3.2: the name of a number", () => {
  assert.equal(enumName("+15550001", "e164.arpa"), NAME);
});

test("RFC 6116 §3.4.1: order, then preference; other services and flags do not count", async () => {
  const { outcome } = lookUp({
    [NAME]: {
      naptr: [
        naptr("!^.*$!sip:third@example.com!", { order: 20, preference: 1 }),
        naptr("!^.*$!sip:second@example.com!", { preference: 20 }),
        naptr("!^.*$!mailto:x@example.com!", { order: 1, services: "E2U+email:mailto" }),
        naptr("!^.*$!http://example.com!", { order: 1, services: "E2U+web:http" }),
        naptr("", { order: 1, flags: "s", replacement: "_sip._udp.example.com" }),
        naptr("!^\\+44.*$!sip:other@example.com!", { order: 1 }),
        naptr("!^(.*)$!sip:\\1@example.com;user=phone!", { flags: "U", services: "e2u+SIP" }),
      ],
    },
  });
  assert.deepEqual(await outcome, { kind: "uri", uri: "sip:+15550001@example.com;user=phone" });
});

test("RFC 4769: a ported number comes as a tel URI with its routing number", async () => {
  const { outcome } = lookUp({
    [NAME]: { naptr: [naptr("!^(.*)$!tel:\\1;npdi;rn=+14045559000!", { services: "E2U+pstn:tel" })] },
  });
  assert.deepEqual(await outcome, { kind: "uri", uri: "tel:+15550001;npdi;rn=+14045559000" });
});

test("a rule that cannot be used is skipped and told once, also one that makes no URI", async () => {
  const records = [
    naptr("!(!sip:a@example.com!", { order: 1 }),
    naptr("!(!sip:a@example.com!", { order: 2 }),
    naptr("no delimiter at the end", { order: 3 }),
    naptr("!^.*$!javascript:alert(1)!", { order: 4 }),
    naptr("!^.*$!sip:x@example.com?Route=%3Csip:y%3E!", { order: 5 }),
    naptr("!^.*$!sip:a b@example.com!", { order: 5 }),
    naptr("!^.*$!sip:good@example.com!", { order: 6 }),
  ];
  const { outcome, bad } = lookUp({ [NAME]: { naptr: records } });
  assert.deepEqual(await outcome, { kind: "uri", uri: "sip:good@example.com" });
  assert.deepEqual(
    bad.map((one) => one.replace(/:.*/, "")),
    ["!(!sip", "no delimiter at the end", "javascript", "sip", "sip"],
  );
});

test("expressions that take long share one bounded effort: what comes after it is spent does not match", async () => {
  const number = `+${"1".repeat(32)}`;
  const evil = "!^.(([0-9]*)*)*(([0-9]|[0-9][0-9]){1,20}){1,8}x$!sip:a@example.com!";
  const good = naptr("!^.*$!sip:good@example.com!", { order: 99 });
  const find = (count: number): Promise<EnumOutcome> => {
    const many = Array.from({ length: count }, (_, order) => naptr(evil, { order }));
    return lookUp({ [enumName(number, "e164.arpa")]: { naptr: [...many, good] } }, number).outcome;
  };
  assert.deepEqual(await find(1), { kind: "uri", uri: "sip:good@example.com" });
  assert.deepEqual(await find(60), { kind: "none" });
});

test("RFC 6116 §3.4.2.1: rules without flags lead to other names, not in circles and not far", async () => {
  const to = (name: string): NaptrRecord => naptr("", { flags: "", services: "", replacement: `${name}.` });
  const { outcome, asked } = lookUp({
    [NAME]: { naptr: [to("A.example"), naptr("!^.*$!sip:last@example.com!", { order: 99 })] },
    "a.example": { naptr: [to(NAME), to("b.example")] },
    "b.example": { naptr: [naptr("!^.*$!sip:found@example.com!")] },
  });
  assert.deepEqual(await outcome, { kind: "uri", uri: "sip:found@example.com" });
  assert.deepEqual(asked, [`NAPTR ${NAME}`, "NAPTR a.example", "NAPTR b.example"]);
  const long: Record<string, { naptr: NaptrRecord[] }> = { [NAME]: { naptr: [to("n0.example")] } };
  for (let at = 0; at < 20; at++) long[`n${at}.example`] = { naptr: [to(`n${at + 1}.example`)] };
  const circle = lookUp(long);
  assert.deepEqual(await circle.outcome, { kind: "none" });
  assert.equal(circle.asked.length, 5);
});

test("nobody in the DNS, no answer, an answer too late", async () => {
  assert.deepEqual(await lookUp({}).outcome, { kind: "none" });
  assert.equal((await lookUp({ [NAME]: "failed" }).outcome).kind, "failed");
  const clock = fakeClock();
  const resolver: Pick<DnsResolver, "naptr"> = { naptr: () => new Promise(() => undefined) };
  const rules = new EnumRules(() => undefined);
  const search = new Enum({ rules, clock, dns: { resolver, domain: "e164.arpa", timeoutMs: 500 } }).find(
    "+1",
  );
  await clock.advanceAsync(500);
  assert.deepEqual(await search, { kind: "failed", reason: "no answer within 500 ms" });
});

function blocks(
  text: unknown,
  onBad: (regexp: string) => void = () => undefined,
): { table: NumberBlocks; problem?: string; rules: EnumRules } | string {
  const rules = new EnumRules(onBad);
  const parsed = enumFile.safeParse(text);
  if (!parsed.success) return `${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}`;
  const made = makeNumberBlocks(parsed.data, rules);
  return made.kind === "bad" ? made.problem : { ...made, rules };
}

test("number blocks of a file: the longest prefix counts, and goes before the DNS", async () => {
  const bad: string[] = [];
  const made = blocks(
    {
      number_blocks: [
        { name: "all", prefix: "", regex: "!^(.*)$!sip:\\1@trunk.example.com!" },
        { prefix: "1-555", regex: "!^(.*)$!sip:\\1@example.com;user=phone!" },
        { prefix: "+1555000", regex: "!(!sip:x@example.com!" },
        { prefix: "+44", regex: "!^\\+441!sip:x@example.com!" },
      ],
    },
    (regexp) => void bad.push(regexp),
  );
  assert.ok(typeof made === "object", String(made));
  assert.equal(made.problem, "cannot be used: number_blocks.2.regex (1)");
  assert.deepEqual(bad, ["!(!sip:x@example.com!"]);
  const resolver = fakeResolver({
    "2.4.4.e164.arpa": { naptr: [naptr("!^.*$!sip:dns@example.com!")] },
  });
  const dns = { resolver, domain: "e164.arpa", timeoutMs: 500 };
  const search = new Enum({ rules: made.rules, clock: fakeClock(), blocks: made, dns });
  assert.deepEqual(await search.find("+15550001"), {
    kind: "uri",
    uri: "sip:+15550001@example.com;user=phone",
  });
  assert.deepEqual(await search.find("+49"), { kind: "uri", uri: "sip:+49@trunk.example.com" });
  assert.deepEqual(await search.find("+442"), { kind: "uri", uri: "sip:dns@example.com" });
  assert.deepEqual(resolver.asked, ["NAPTR 2.4.4.e164.arpa"]);
});

test("a file of number blocks that is none is refused with the place", () => {
  assert.match(String(blocks([])), /^: /);
  assert.match(String(blocks({ number_blocks: [{ prefix: "x", regex: "" }] })), /^number_blocks\.0\.prefix/);
  assert.match(String(blocks({ number_blocks: [{ prefix: "1", regexp: "" }] })), /^number_blocks\.0/);
  const twice = { number_blocks: ["1", "+1"].map((prefix) => ({ prefix, regex: "!a!sip:b@c!" })) };
  assert.equal(blocks(twice), 'number_blocks.1.prefix: "+1" is there already');
});
