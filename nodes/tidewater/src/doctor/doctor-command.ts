import { readFileSync } from "node:fs";
import { examine, KeyError, keyOf, type Rung, rungsOf, type TrailNode } from "@ims/doctor";
import { Command, InvalidArgumentError } from "commander";
import { managementTokenOf } from "../operate/management-token.ts";
import { httpUrl } from "../subscriber/http-url.ts";
import { areNamed, nodesFor, trailNodesOption } from "../trail/trail-nodes.ts";
import { isWell, report } from "./report.ts";

interface Given {
  readonly host?: string;
  readonly stateDir: string;
  readonly node?: readonly TrailNode[];
  readonly tokenFile?: string;
  readonly provisioningUrl?: string;
  readonly provisioningTokenFile?: string;
  readonly last: number;
  readonly all?: boolean;
  readonly text?: boolean;
  readonly json?: boolean;
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 50) return value;
  throw new InvalidArgumentError("Write a number from 1 to 50.");
}

/** `tidewater doctor`: what went wrong with a subscriber, or with one call, in words. Exit code 0: nothing; 1: something, or nobody knows; 2: wrong use. */
export function doctorCommand(exit: (code: number) => void): Command {
  return new Command("doctor")
    .description(
      "say what went wrong with a subscriber's registrations and calls, or with one call, and what to do",
    )
    .argument(
      "<name>",
      "IMSI, private or public identity, telephone number, or Call-ID or ICID of a call; with - in front write -- first",
    )
    .option(
      "--host <address>",
      "of the nodes, when they are at the usual management ports (default: those of --state-dir, else 127.0.0.1)",
    )
    .option("--state-dir <dir>", "that of a running tidewater up, which names its nodes", ".tidewater")
    .option("--node <name=url>", "management port of a node, instead; may be repeated", trailNodesOption)
    .option(
      "--token-file <file>",
      "file with the management token, needed beyond loopback (default: that of the state directory)",
    )
    .option(
      "--provisioning-url <url>",
      "provisioning API, to see what the HSS has (default: where homestead says that it is)",
      httpUrl("http://127.0.0.1:8889"),
    )
    .option("--provisioning-token-file <file>", "file with its token, where one is needed")
    .option("--last <number>", "how many registrations and calls", count, 5)
    .option("--all", "with the ladders of those that went well, too")
    .option("--text", "with the messages themselves")
    .option("--json", "print JSON")
    .action(async (name: string, given: Given) => exit(await doctor(name, given)));
}

async function doctor(name: string, given: Given): Promise<number> {
  const { last, json, provisioningUrl, provisioningTokenFile } = given;
  let key: string;
  try {
    key = keyOf(name);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    process.stderr.write(`tidewater: ${error.message}\n`);
    return 2;
  }
  const examination = await examine(await nodesFor(given), key, {
    last,
    token: managementTokenOf({ ...given, named: areNamed(given) }),
    provisioning: {
      url: provisioningUrl ?? process.env["TIDEWATER_PROVISIONING_URL"],
      token: secretIn(provisioningTokenFile),
    },
  });
  const well = isWell(examination);
  const nobody =
    examination.exchanges.length === 0 && examination.subjects.every(({ hss }) => hss !== "found");
  if (json === true) {
    const { exchanges, oldest, ...rest } = examination;
    const all = exchanges.map(({ exchange, start, ...one }) => ({
      start: new Date(start).toISOString(),
      ...one,
      callIds: exchange.callIds,
      icids: exchange.icids,
      rungs: rungsOf(exchange).map((rung) => shown(rung, given.text === true)),
    }));
    const since = oldest === undefined ? "" : new Date(oldest).toISOString();
    console.log(JSON.stringify({ ...rest, well: well && !nobody, oldest: since, exchanges: all }));
  } else console.log(report(examination, { all: given.all === true, text: given.text === true }));
  return well && !nobody && examination.problems.length === 0 ? 0 : 1;
}

function shown(rung: Rung, withText: boolean): unknown {
  const { text, fields, ...step } = rung.step;
  // What programs compare is of no use to a reader.
  const { proof: _, ...rest } = fields ?? {};
  return {
    ...rung,
    step: { ...step, ...(fields === undefined ? {} : { fields: rest }), ...(withText ? { text } : {}) },
  };
}

function secretIn(file: string | undefined): string | undefined {
  return file === undefined ? undefined : readFileSync(file, "utf8").trim();
}
