#!/usr/bin/env node
import { runService } from "@ims/runtime";
import { createRalf, ralfOptions } from "../src/index.ts";

await runService({ name: "ralf", options: ralfOptions, create: createRalf });
