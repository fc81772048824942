import { gather, ladder, pcapng, printable, rungsOf, summaryOf, type TrailNode } from "@ims/doctor";
import { VERSION } from "@ims/runtime";
import { Command, InvalidArgumentError, Option } from "commander";
import { managementTokenOf } from "../operate/management-token.ts";
import { type Look, watch, watchSeconds } from "../terminal/watch.ts";
import { Following } from "./follow.ts";
import { areNamed, nodesFor, trailNodesOption } from "./trail-nodes.ts";
import { writeNew } from "./write-new.ts";

interface Given {
  readonly host?: string;
  readonly stateDir: string;
  readonly node?: readonly TrailNode[];
  readonly tokenFile?: string;
  readonly last: number;
  readonly text?: boolean;
  readonly json?: boolean;
  readonly pcapng?: string;
  readonly follow?: boolean;
  readonly every: number;
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 50) return value;
  throw new InvalidArgumentError("Write a number from 1 to 50.");
}

/** `tidewater trail`: the ladder of the last registrations and calls of a subscriber, or of one call, from all nodes. */
export function trailCommand(exit: (code: number) => void): Command {
  return new Command("trail")
    .description(
      "show what happened: the last registrations and calls of a subscriber, or one call, at all nodes",
    )
    .argument(
      "<key>",
      "IMSI, private or public identity, telephone number, or Call-ID or ICID of a call; with - in front write -- first",
    )
    .option(
      "--host <address>",
      "of the nodes, when they are at the usual management ports (default: 127.0.0.1)",
    )
    .option("--state-dir <dir>", "that of a running tidewater up, which names its nodes", ".tidewater")
    .option("--node <name=url>", "management port of a node, instead; may be repeated", trailNodesOption)
    .option(
      "--token-file <file>",
      "file with the management token, needed beyond loopback (default: that of the state directory)",
    )
    .option("--last <number>", "how many registrations and calls", count, 3)
    .option("--text", "with the messages themselves")
    .option("--json", "print JSON")
    .addOption(
      new Option(
        "--pcapng <file>",
        "write the messages to a new capture file instead, for Wireshark",
      ).conflicts("follow"),
    )
    .option("--follow", "go on as messages flow, until Ctrl-C; with --json a line of JSON for each step")
    .option("--every <seconds>", "how often the nodes are asked, with --follow", watchSeconds, 1)
    .action(async (key: string, given: Given) => exit(await trail(key, given)));
}

async function trail(key: string, given: Given): Promise<number> {
  const { last, json } = given;
  const text = given.text === true || given.pcapng !== undefined;
  const token = managementTokenOf({ ...given, named: areNamed(given) });
  if (given.follow === true) {
    const following = new Following(key, { text });
    // Nodes come and go meanwhile.
    const look = async (signal: AbortSignal): Promise<Look> =>
      following.look(await gather(await nodesFor(given), key, { last, text, token, signal }));
    return watch(look, {
      ...{ every: given.every, json: json === true, title: `tidewater trail ${printable(key)}` },
      rest: () => following.rest(),
    });
  }
  const nodes = await nodesFor(given);
  const { exchanges, earlier, oldest, problems } = await gather(nodes, key, { last, text, token });
  const since = oldest === undefined ? "" : new Date(oldest).toISOString();
  if (json === true) {
    const shown = exchanges.map((exchange) => ({
      ...summaryOf(exchange),
      callIds: exchange.callIds,
      icids: exchange.icids,
      rungs: rungsOf(exchange),
    }));
    console.log(JSON.stringify({ key, oldest: since, earlier, problems, exchanges: shown }));
  } else if (given.pcapng !== undefined) {
    for (const problem of problems) process.stderr.write(`tidewater: ${printable(problem)}\n`);
    if (exchanges.length > 0) {
      const { bytes, messages } = pcapng(exchanges, `Tidewater ${VERSION}`);
      await writeNew(given.pcapng, bytes);
      console.log(`${given.pcapng}: ${exchanges.length} registrations and calls, ${messages} messages`);
    }
  } else {
    for (const problem of problems) process.stderr.write(`tidewater: ${printable(problem)}\n`);
    if (exchanges.length > 0) console.log(exchanges.map((one) => ladder(one, { text })).join("\n\n"));
    if (earlier > 0) console.log(`\n${earlier} earlier ones are not shown (--last)`);
  }
  if (exchanges.length > 0) return 0;
  const kept = since === "" ? "nothing is kept" : `what is kept begins at ${since}`;
  if (json !== true) process.stderr.write(`tidewater: nothing is known of ${printable(key)}: ${kept}\n`);
  return 1;
}
