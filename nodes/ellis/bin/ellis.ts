#!/usr/bin/env node
import { runService } from "@ims/runtime";
import { createEllis, ellisOptions } from "../src/index.ts";

await runService({ name: "ellis", options: ellisOptions, create: createEllis });
