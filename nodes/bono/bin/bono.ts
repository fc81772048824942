#!/usr/bin/env node
import { runService } from "@ims/runtime";
import { bonoOptions, createBono, rehearse } from "../src/index.ts";

await runService({
  name: "bono",
  description: "P-CSCF: where user equipment reaches the core.",
  options: bonoOptions,
  create: createBono,
  rehearse,
});
