import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { guide } from "./guide.ts";
import { isLoopback, type NodeOption, nodeCommands, nodeOptionOf, type UpOptions } from "./nodes.ts";
import { makeStateDir } from "./state-dir.ts";
import { Supervisor } from "./supervisor.ts";

function collect(value: string, before: readonly NodeOption[] = []): NodeOption[] {
  const option = nodeOptionOf(value);
  if (option !== undefined) return [...before, option];
  throw new InvalidArgumentError(
    "Write it as NODE.OPTION=VALUE with homestead, sprout or bono, for example bono.log-level=debug.",
  );
}

function domainName(text: string): string {
  if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text)) return text;
  throw new InvalidArgumentError("It is no domain name.");
}

/** `tidewater up`: homestead, sprout and bono on one machine with embedded stores. */
export function upCommand(exit: (code: number) => void): Command {
  return new Command("up")
    .description("run all nodes on this machine, with embedded stores")
    .option("--host <address>", "address for user equipment and management", "127.0.0.1")
    .option("--domain <name>", "home domain", domainName, "example.com")
    .option("--state-dir <dir>", "where subscribers and keys are kept", ".tidewater")
    .option("--no-examples", "do not add the two example subscribers (never added beyond loopback)")
    .option("--log-level <level>", "trace, debug, info, warn, error or silent", "warn")
    .option("--set <node.option=value>", "an option of one node; may be repeated", collect)
    .option("--json", "print one JSON line when ready instead of the guide")
    .action(async (given: Given) => {
      const seedExamples = given.examples && isLoopback(given.host);
      exit(await up({ ...given, set: given.set ?? [], seedExamples }, given.json === true));
    });
}

interface Given extends Omit<UpOptions, "seedExamples" | "set"> {
  readonly examples: boolean;
  readonly json?: boolean;
  readonly set?: readonly NodeOption[];
}

async function up(options: UpOptions, json: boolean): Promise<number> {
  const stateDir = resolve(options.stateDir);
  makeStateDir(stateDir);
  const began = Date.now();
  const supervisor = new Supervisor(nodeCommands({ ...options, stateDir }), (line) =>
    process.stderr.write(`tidewater: ${line}\n`),
  );
  const signal = new Promise<undefined>((done) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => done(undefined));
  });
  try {
    const starting = supervisor.start();
    starting.catch(() => undefined); // a signal may come first: nobody waits for the start then
    const started = await Promise.race([signal, starting]);
    if (started === undefined) {
      process.stderr.write("tidewater: stopped before everything was ready\n");
      return 1;
    }
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    if (json)
      console.log(
        JSON.stringify({ ready: true, host: options.host, domain: options.domain, nodes: started }),
      );
    else console.log(guide(options, started, seconds));
    const failure = await Promise.race([signal, supervisor.failure]);
    if (failure === undefined) return 0;
    process.stderr.write(`tidewater: ${failure}\n`);
    return 1;
  } finally {
    await supervisor.stop();
  }
}
