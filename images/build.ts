import { main } from "./build/main.ts";

process.exitCode = await main(process.argv.slice(2));
