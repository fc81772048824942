#!/usr/bin/env node
import { runService } from "@ims/runtime";
import { createMmtelNode, mmtelNodeOptions } from "../src/index.ts";

await runService({ name: "mmtel", options: mmtelNodeOptions, create: createMmtelNode });
