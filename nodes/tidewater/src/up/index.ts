import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { nodeCommands, type UpOptions } from "./nodes.ts";
import { Supervisor } from "./supervisor.ts";

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function isLoopback(host: string): boolean {
  return host.startsWith("127.") || host === "::1" || host === "localhost";
}

/** `tidewater up`: homestead, sprout and bono on one machine with embedded stores. */
export function upCommand(exit: (code: number) => void): Command {
  return new Command("up")
    .description("run all nodes on this machine, with embedded stores")
    .option("--host <address>", "address to bind", "127.0.0.1")
    .option("--domain <name>", "home domain", "example.com")
    .option("--state-dir <dir>", "where subscribers and keys are kept", ".tidewater")
    .option("--no-examples", "do not add the two example subscribers (never added beyond loopback)")
    .option("--log-level <level>", "trace, debug, info, warn, error or silent", "warn")
    .option("--set <node.option=value>", "an option of one node; may be repeated", collect, [])
    .option("--json", "print one JSON line when ready instead of the guide")
    .action(async (given: Omit<UpOptions, "seedExamples"> & { examples: boolean; json?: boolean }) => {
      exit(
        await up({ ...given, seedExamples: given.examples && isLoopback(given.host) }, given.json === true),
      );
    });
}

async function up(options: UpOptions, json: boolean): Promise<number> {
  const stateDir = resolve(options.stateDir);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const began = Date.now();
  const supervisor = new Supervisor(nodeCommands({ ...options, stateDir }), (line) =>
    process.stderr.write(`tidewater: ${line}\n`),
  );
  const signal = new Promise<undefined>((done) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => done(undefined));
  });
  try {
    const started = await supervisor.start();
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    if (json)
      console.log(
        JSON.stringify({ ready: true, host: options.host, domain: options.domain, nodes: started }),
      );
    else console.log(guide(options, seconds));
    const failure = await Promise.race([signal, supervisor.failure]);
    if (failure === undefined) return 0;
    process.stderr.write(`tidewater: ${failure}\n`);
    return 1;
  } finally {
    await supervisor.stop();
  }
}

function guide({ host, domain, seedExamples, stateDir }: UpOptions, seconds: string): string {
  const examples = seedExamples
    ? `
Two example subscribers are there (lab only, loopback only):
    sip:6505550000@${domain}   IMPI 6505550000@${domain}   password secret
    sip:6505550001@${domain}   IMPI 6505550001@${domain}   password secret
`
    : "";
  return `Tidewater is ready (${seconds} s): bono, sprout and homestead on ${host}, domain ${domain}.
${examples}
Point a softphone here:
    registrar / outbound proxy   ${host}:5060 (UDP or TCP), WebSocket ws://${host}:5062
    user name (authentication)   6505550000@${domain}
    SIP domain                   ${domain}
Call sip:6505550001@${domain} from the first phone; the second one rings.

More subscribers:  npm run tidewater -- subscriber add --impi alice@${domain} --impu sip:alice@${domain} --password-stdin
Health, metrics:   http://${host}:9101/health/ready   http://${host}:9101/metrics   (9102 sprout, 9103 homestead)
State is kept in ${stateDir}. Ctrl-C stops everything.`;
}
