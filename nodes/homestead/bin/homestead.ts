#!/usr/bin/env node
import { runService } from "@ims/runtime";
import { createHomestead, homesteadOptions } from "../src/index.ts";

await runService({ name: "homestead", options: homesteadOptions, create: createHomestead });
