#!/usr/bin/env node
import { runService } from "@ims/runtime";
import { createEdgeAgent, edgeAgentOptions } from "../src/index.ts";

await runService({ name: "edge-agent", options: edgeAgentOptions, create: createEdgeAgent });
