#!/usr/bin/env node
import { runService } from "@ims/runtime";
import { createSprout, sproutOptions } from "../src/index.ts";

await runService({ name: "sprout", options: sproutOptions, create: createSprout });
