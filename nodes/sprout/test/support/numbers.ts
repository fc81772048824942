import { type ChargingEvent, ChargingTriggers } from "@ims/ims";
import type { NaptrRecord } from "@ims/runtime";
import { type FakeResolver, fakeResolver, type Zone } from "@ims/runtime/testing";
import { OwnUris } from "@ims/sip";
import { Bgcf } from "../../src/bgcf/bgcf.ts";
import { bgcfFile, makeBgcfRoutes } from "../../src/bgcf/routes.ts";
import { dialPlanFile, makeDialPlan } from "../../src/routing/dial-plan.ts";
import { Enum, enumName } from "../../src/routing/enum.ts";
import { EnumRules } from "../../src/routing/enum-rules.ts";
import { Numbers } from "../../src/routing/numbers.ts";
import { type Bench, BOB, BOB_KEYS, benchWithUsers } from "./bench.ts";

export const BGCF = "sip:127.0.0.1:5053;transport=tcp";

export interface NumbersBenchOptions {
  /** Content of --bgcf-file; without it there is no BGCF. */
  readonly routes?: readonly unknown[];
  /** What ENUM says of numbers: a substitution expression; "failed": nothing. Without it there is no ENUM. */
  readonly enum?: Readonly<Record<string, string>>;
  /** Content of --dial-plan-file. */
  readonly dialPlan?: unknown;
  readonly overrideNpdi?: boolean;
  readonly sipToTel?: boolean;
  readonly allowForeignDomains?: boolean;
  /** Takes the charging events of the BGCF, and of the I-CSCF. */
  readonly charge?: (event: ChargingEvent) => void;
}

/** A bench with Alice and Bob registered, and what happened to numbers. */
export async function numbersBench(given: NumbersBenchOptions): Promise<{
  readonly bench: Bench;
  readonly resolver: FakeResolver;
  /** "enum uri", "bgcf routed" and so on. */
  readonly counted: string[];
}> {
  const { allowForeignDomains = false, overrideNpdi = false, sipToTel = false } = given;
  const counted: string[] = [];
  const options = { homeDomain: "example.com", aliasDomains: [], enforceUserPhone: true };
  const resolver = fakeResolver(zoneOf(given.enum ?? {}));
  let bench: Bench | undefined;
  const clock = { setTimer: (ms: number, fire: () => void) => (bench ?? fail()).clock.setTimer(ms, fire) };
  const dns = { resolver, domain: "e164.arpa", timeoutMs: 500 };
  const rules = new EnumRules(() => undefined);
  const numbers = new Numbers({
    options: { ...options, overrideNpdi, sipToTel },
    enum:
      given.enum === undefined
        ? undefined
        : new Enum({ rules, dns, clock: { ...clock, now: () => 0, monotonic: () => 0 } }),
    dialPlan:
      given.dialPlan === undefined ? undefined : tableOf(makeDialPlan(dialPlanFile.parse(given.dialPlan))),
    counters: {
      enum: (outcome) => void counted.push(`enum ${outcome}`),
      dialled: (outcome) => void counted.push(`dialled ${outcome}`),
    },
  });
  const { routes } = given;
  const { charge } = given;
  const triggers = (node: "BGCF" | "I-CSCF"): ChargingTriggers | undefined =>
    charge &&
    new ChargingTriggers({
      ...{ node, nodeAddress: "here", methods: ["INVITE", "MESSAGE", "REGISTER"], now: () => 1_000 },
      ...{ emit: charge, eventsOnly: node === "I-CSCF" },
    });
  bench = benchWithUsers({
    icscfCharging: triggers("I-CSCF"),
    options: { allowForeignDomains, bgcfUri: routes === undefined ? "" : BGCF },
    numbers,
    sides: () => {
      if (routes === undefined) return [];
      const entity = new Bgcf({
        options: { ...options, uri: BGCF, side: "scscf", allowForeignDomains },
        charging: triggers("BGCF"),
        routes: tableOf(makeBgcfRoutes(bgcfFile.parse({ routes }))),
        own: new OwnUris([BGCF]),
        counters: { request: (outcome) => void counted.push(`bgcf ${outcome}`) },
      });
      return [{ name: "bgcf", entity, strict: false }];
    },
  });
  await bench.registered();
  await bench.registered(BOB, BOB_KEYS);
  bench.cx.taken();
  return { bench, resolver, counted };
}

function zoneOf(numbers: Readonly<Record<string, string>>): Zone {
  const naptr = (regexp: string): NaptrRecord => ({
    order: 1,
    preference: 1,
    flags: "u",
    services: "E2U+sip",
    regexp,
    replacement: ".",
  });
  return Object.fromEntries(
    Object.entries(numbers).map(([number, regexp]) => [
      enumName(number, "e164.arpa"),
      regexp === "failed" ? "failed" : { naptr: [naptr(regexp)] },
    ]),
  );
}

function tableOf<T>(made: { kind: "table"; table: T } | { kind: "bad"; problem: string }): { table: T } {
  return made.kind === "table" ? made : fail(made.problem);
}

function fail(why = "too early"): never {
  throw new Error(why);
}
