#!/usr/bin/env node
import { bonoOptions, createBono } from "@ims/bono";
import { type Runnable, runnable, runServices } from "@ims/runtime";
import { LocalNetwork } from "@ims/sip";
import { createSprout, sproutOptions } from "@ims/sprout";
import { nodeArgumentsOf } from "../src/index.ts";

const network = new LocalNetwork();
const nodes: Readonly<Record<string, (argv: readonly string[]) => Runnable>> = {
  sprout: (argv) =>
    runnable({
      ...{ name: "sprout", options: sproutOptions, argv },
      create: (options, modules) => createSprout(options, { ...modules, network }),
    }),
  bono: (argv) =>
    runnable({
      ...{ name: "bono", options: bonoOptions, argv },
      create: (options, modules) => createBono(options, { ...modules, network }),
    }),
};
const asked = nodeArgumentsOf(process.argv.slice(2), Object.keys(nodes));
if (typeof asked === "string") {
  process.stderr.write(`all-in-one: ${asked}\n`);
  process.exitCode = 2;
  if (process.connected) process.disconnect();
} else await runServices([...asked].flatMap(([name, argv]) => nodes[name]?.(argv) ?? []));
