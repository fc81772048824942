import { type DnsResolver, nameService, type ServiceModules, watchFile } from "@ims/runtime";
import { sproutProblems } from "../problems.ts";
import { dialPlanFile, makeDialPlan } from "./dial-plan.ts";
import { Enum } from "./enum.ts";
import { enumFile, makeNumberBlocks } from "./enum-file.ts";
import { EnumRules } from "./enum-rules.ts";
import { FollowedFile } from "./followed-file.ts";
import type { NumberOptions } from "./number-options.ts";
import { Numbers } from "./numbers.ts";
import type { NumberingOptions } from "./telephone-number.ts";

export interface NumbersParts {
  readonly options: NumberOptions & NumberingOptions;
  /** For ENUM without servers of its own. */
  readonly resolver: DnsResolver;
}

/** Undefined when no option asks for anything to be done about numbers. Throws SproutError for a file that cannot be used. */
export function createNumbers(
  { options, resolver }: NumbersParts,
  { clock, log, register, health }: Pick<ServiceModules, "clock" | "log" | "register" | "health">,
): { readonly numbers: Numbers; start(): void; stop(): void } | undefined {
  const { enumDomain, enumServers, enumFile: blocksFile, dialPlanFile: planFile, bgcfFile } = options;
  if ([enumDomain, blocksFile, planFile, bgcfFile].every((one) => one === "") && !options.sipToTel)
    return undefined;
  const bad = register.counter({
    name: "ims_sprout_enum_bad_rules_total",
    help: "ENUM rules that were skipped because they cannot be used",
    labels: {},
  });
  const lookUps = register.counter({
    name: "ims_sprout_enum_total",
    help: "Global numbers by what ENUM said: a URI, none, failed (no answer), dipped (not asked because of npdi)",
    labels: { outcome: ["uri", "none", "failed", "dipped"] },
  });
  const dialled = register.counter({
    name: "ims_sprout_dialled_total",
    help: "Local numbers and dial strings by what the dial plan made of them",
    labels: { outcome: ["translated", "unknown", "incomplete"] },
  });
  const rules = new EnumRules((rule, reason) => {
    bad.inc({});
    log.warn({ rule, reason, problemId: sproutProblems.enumRuleSkipped.id }, "an ENUM rule is skipped");
  });
  const blocks =
    blocksFile === ""
      ? undefined
      : new FollowedFile(
          {
            file: blocksFile,
            what: "ENUM file",
            schema: enumFile,
            make: (content) => makeNumberBlocks(content, rules),
          },
          { clock, log },
        );
  const dialPlan =
    planFile === ""
      ? undefined
      : new FollowedFile(
          { file: planFile, what: "dial plan", schema: dialPlanFile, make: makeDialPlan },
          { clock, log },
        );
  health.addNote("enumFile", () => blocks?.problem);
  health.addNote("dialPlan", () => dialPlan?.problem);
  watchFile(health.alarms, blocksFile, blocks);
  watchFile(health.alarms, planFile, dialPlan);
  const names =
    enumServers.length === 0
      ? undefined
      : nameService({ poolsFile: "", dnsServers: enumServers }, { clock, log });
  const dns =
    enumDomain === ""
      ? undefined
      : {
          resolver: names?.resolver ?? resolver,
          domain: enumDomain.replace(/^\.|\.$/g, ""),
          timeoutMs: options.enumTimeoutMs,
        };
  const numbers = new Numbers({
    options,
    dialPlan,
    enum: blocks === undefined && dns === undefined ? undefined : new Enum({ rules, clock, blocks, dns }),
    counters: {
      enum: (outcome) => lookUps.inc({ outcome }),
      dialled: (outcome) => dialled.inc({ outcome }),
    },
  });
  return {
    numbers,
    start: () => {
      blocks?.start();
      dialPlan?.start();
    },
    stop: () => {
      blocks?.stop();
      dialPlan?.stop();
      names?.stop();
    },
  };
}
