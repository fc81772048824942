import { createLogger, LOG_LEVELS, type LogLevel, systemClock } from "@ims/runtime";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type NodesGiven, nodesCommand, nodesOf, runningNodes, withToken } from "../operate/running-nodes.ts";
import type { MasterAddress } from "./agentx/sub-agent.ts";
import { SnmpAgent } from "./snmp-agent.ts";

interface Given extends NodesGiven {
  readonly agentx: MasterAddress;
  readonly every: number;
  readonly logLevel: LogLevel;
}

/** `tidewater snmp-agent`: until a signal. */
export function snmpCommand(exit: (code: number) => void): Command {
  return nodesCommand(
    "snmp-agent",
    "bring the alarms of the running nodes to an SNMP master agent (snmpd) by AgentX",
  )
    .option("--agentx <address>", "where snmpd listens: a path, or host:port", master, {
      path: "/var/agentx/master",
    })
    .option("--every <seconds>", "how often the nodes are asked", seconds, 2)
    .addOption(
      new Option("--log-level <level>", "of what it says itself").choices(LOG_LEVELS).default("info"),
    )
    .action(async (given: Given) => exit(await run(given)));
}

async function run({ agentx, every, logLevel, ...given }: Given): Promise<number> {
  const log = createLogger({ name: "snmp-agent", level: logLevel, destination: process.stderr });
  const clock = systemClock();
  const named = given.url !== undefined;
  const agent = new SnmpAgent(
    {
      master: agentx,
      everyMs: every * 1000,
      // With a state directory they may come and go.
      nodes: () =>
        named || given.node !== undefined ? runningOrNone(given) : withToken(nodesOf(given.stateDir), given),
    },
    { clock, log },
  );
  const signal = new Promise<void>((done) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => done());
  });
  await agent.start();
  await signal;
  agent.stop();
  return 0;
}

function runningOrNone(given: NodesGiven): ReturnType<typeof runningNodes> {
  try {
    return runningNodes(given);
  } catch {
    return []; // none of them now
  }
}

function master(text: string): MasterAddress {
  if (text.startsWith("/") || text.startsWith("./")) return { path: text };
  const [, host, port] = /^(.+):([0-9]{1,5})$/.exec(text) ?? [];
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535)
    return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
  throw new InvalidArgumentError("Write a path such as /var/agentx/master, or 127.0.0.1:705.");
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0.1 && value <= 3_600) return value;
  throw new InvalidArgumentError("Write a number of seconds from 0.1 to 3600.");
}
