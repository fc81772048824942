#!/usr/bin/env node
import { admin } from "../src/index.ts";

process.exitCode = await admin(process.argv.slice(2), (line) => console.log(line));
