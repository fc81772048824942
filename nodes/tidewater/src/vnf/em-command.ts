import { readFileSync } from "node:fs";
import { drainByCommand, formatFault, readMembers, readModel, readVnfdFacts, startEmServer } from "@ims/vnf";
import { Command } from "commander";
import { positive } from "./cloud-command.ts";

interface Given {
  readonly members: string;
  readonly host: string;
  readonly port: string;
  readonly drainSeconds: number;
  readonly instance?: string;
  readonly tokenFile?: string;
  readonly tls?: readonly string[];
}

/** `tidewater vnf em`: answers a VNF manager for the VNF until SIGINT or SIGTERM. */
export function emCommand(exit: (code: number) => void): Command {
  return new Command("em")
    .description(
      "element manager: answers a VNF manager (SOL 002) for the VNF: indicators, and coordination of the life cycle, by which members are drained before they go",
    )
    .requiredOption(
      "--members <file>",
      "file with the members: name, pool, management address; may change at any time",
    )
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "port to listen on; 0: any", "9443")
    .option("--drain-seconds <seconds>", "longest a member may take", positive, 300)
    .option("--instance <id>", "identifier of the instance; default: any")
    .option("--token-file <file>", "file with the token that clients show (Authorization: Bearer)")
    .option("--tls <key certificate...>", "two PEM files; default: no TLS")
    .argument(
      "<drain...>",
      "after --: program and arguments that send SIGTERM to the process of a member; {name}, {pool} and {address} are filled in",
    )
    .action(async (drain: string[], given: Given) => exit(await serve(drain, given)));
}

async function serve(drain: readonly string[], given: Given): Promise<number> {
  const wrong = (problem: string, code: number): number => {
    process.stderr.write(`tidewater: ${problem}\n`);
    return code;
  };
  const port = Number(given.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return wrong(`--port ${given.port}: no port`, 2);
  const [key, certificate, ...more] = given.tls ?? [];
  if (given.tls !== undefined && (key === undefined || certificate === undefined || more.length > 0))
    return wrong("--tls takes two files, the key and the certificate", 2);
  const model = readModel();
  const facts = model.kind === "model" ? readVnfdFacts(model.model) : model;
  if (facts.kind === "bad") return wrong(facts.faults.map(formatFault).join("\n"), 1);
  const members = readMembers(given.members);
  if (members.kind === "bad") return wrong(members.faults.map(formatFault).join("\n"), 1);
  let files: { token?: string; tls?: { key: string; certificate: string } };
  try {
    files = {
      ...(given.tokenFile === undefined ? {} : { token: readFileSync(given.tokenFile, "utf8").trim() }),
      ...(key === undefined || certificate === undefined
        ? {}
        : { tls: { key: readFileSync(key, "utf8"), certificate: readFileSync(certificate, "utf8") } }),
    };
  } catch (error) {
    const { path, code } = error as NodeJS.ErrnoException;
    return wrong(`${path ?? ""}: cannot be read: ${code ?? String(error)}`, 1);
  }
  const server = await startEmServer(
    {
      host: given.host,
      port,
      ...(given.instance === undefined ? {} : { vnfInstanceId: given.instance }),
      ...files,
    },
    {
      drain: drainByCommand({ command: drain, timeoutSeconds: given.drainSeconds }),
      members: () => readMembers(given.members),
      indicators: facts.facts.indicators,
    },
  );
  console.log(`element manager on ${server.origin}, ${members.members.length} members`);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await server.close();
  return 0;
}
