import { main } from "./oci/main.ts";

process.exitCode = await main(process.argv.slice(2));
