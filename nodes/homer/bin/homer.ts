#!/usr/bin/env node
import { runService } from "@ims/runtime";
import { createHomer, homerOptions } from "../src/index.ts";

await runService({ name: "homer", options: homerOptions, create: createHomer });
