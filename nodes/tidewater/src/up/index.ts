import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { isLoopback } from "@ims/runtime";
import { Command, InvalidArgumentError, Option } from "commander";
import { managementTokenFile } from "../operate/management-token.ts";
import { WrongUseError } from "../wrong-use.ts";
import { guide } from "./guide.ts";
import { type Engage, type Rtpengine, startRtpengine } from "./media-gateway/rtpengine.ts";
import { nodeProcesses } from "./node-process.ts";
import {
  EMERGENCY_NUMBERS,
  IBCF_ROUTES,
  ibcfRoutes,
  type NodeOption,
  nodeCommands,
  nodeOptionOf,
  type UpOptions,
} from "./nodes.ts";
import { poolKeys } from "./pools/keys.ts";
import {
  MAX_WORKERS,
  type PoolCounts,
  poolCountsOf,
  type StoreCounts,
  sharingProblem,
  storeCountsOf,
  withDefaults,
  workersProblem,
} from "./pools/request.ts";
import { upPools } from "./pools/up-pools.ts";
import { makeStateDir } from "./state-dir.ts";
import { Supervisor } from "./supervisor.ts";
import { startCoturn } from "./turn/coturn.ts";

function collect(value: string, before: readonly NodeOption[] = []): NodeOption[] {
  const option = nodeOptionOf(value);
  if (option !== undefined) return [...before, option];
  throw new InvalidArgumentError(
    "Write it as NODE.OPTION=VALUE with homestead, homer, ellis, sprout, bono or ralf (of a pool also sprout-2), for example bono.log-level=debug.",
  );
}

function domainName(text: string): string {
  if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text)) return text;
  throw new InvalidArgumentError("It is no domain name.");
}

function poolSizes(text: string): PoolCounts {
  const read = poolCountsOf(text);
  if (read.kind === "counts") return withDefaults(read.counts);
  throw new InvalidArgumentError(read.problem);
}

function storeSizes(text: string): StoreCounts {
  const read = storeCountsOf(text);
  if (read.kind === "wrong") throw new InvalidArgumentError(read.problem);
  return { memcached: read.counts.get("memcached") ?? 0, cassandra: read.counts.get("cassandra") ?? 0 };
}

function workerCount(text: string): number {
  if (text === "auto") return Math.min(availableParallelism(), MAX_WORKERS);
  const count = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MAX_WORKERS) return count;
  throw new InvalidArgumentError(`Write a number from 1 to ${MAX_WORKERS}, or auto.`);
}

function loopbackNetwork(text: string): string {
  const [, second] = /^127\.([0-9]{1,3})$/.exec(text) ?? [];
  if (second !== undefined && Number(second) <= 255) return `127.${Number(second)}`;
  throw new InvalidArgumentError("Write it as 127.0 up to 127.255.");
}

/** `tidewater up`: homestead, sprout and bono on one machine with embedded stores. */
export function upCommand(exit: (code: number) => void): Command {
  return new Command("up")
    .description("run all nodes on this machine, with embedded stores")
    .option("--host <address>", "address for user equipment and management", "127.0.0.1")
    .option("--domain <name>", "home domain", domainName, "example.com")
    .option("--state-dir <dir>", "where subscribers and keys are kept", ".tidewater")
    .option("--no-examples", "do not add the two example subscribers (never added beyond loopback)")
    .option("--separate", "bono and sprout in processes of their own, as on machines of their own")
    .option("--charging", "run ralf too: charging with CDR files in cdr/ of the state directory")
    .option("--mmtel", "run homer too: telephony services, which phones set by XCAP")
    .option("--ellis", "run ellis too: accounts and numbers for users, over HTTP as Clearwater's Ellis")
    .option("--turn", "run coturn too: a TURN server for phones in browsers, with credentials by ellis")
    .addOption(
      new Option(
        "--media-gateway [when]",
        "run rtpengine too: a media gateway between browsers and other phones, where it is needed (auto) or for each call of a browser (always)",
      )
        .choices(["auto", "always"])
        .preset("auto"),
    )
    .option("--call-lists", "run homer too: lists of their calls for subscribers, over HTTP")
    .option("--twinning", "twin VoIP clients with mobile phones of a circuit-switched network")
    .option(
      "--ibcf <file>",
      "JSON file of other networks and PBXs: an IBCF in bono, to which sprout sends what leaves",
      (file) => resolve(file),
    )
    .option("--emergency <file>", "emergency calls: JSON file that says which PSAP is for which place")
    .option("--log-level <level>", "trace, debug, info, warn, error or silent", "warn")
    .option("--set <node.option=value>", "an option of one node; may be repeated", collect)
    .option("--json", "print one JSON line when ready instead of the guide")
    .option(
      "--pools <sizes>",
      "several nodes of a kind, each a process on its own address: bono=2,sprout=3,homestead=2",
      poolSizes,
    )
    .option(
      "--stores <names>",
      "stores the pools share: memcached[=2], cassandra[=1], separated by a comma",
      storeSizes,
    )
    .option(
      "--workers <count>",
      "bono and sprout in so many processes on one address, each with its share of the UEs, so that all processors serve; auto: one for each processor. Needs --stores",
      workerCount,
    )
    .option("--network <127.n>", "with --pools: first two numbers of the addresses", loopbackNetwork, "127.0")
    .option(
      "--core-tls",
      "with --pools: SIP between nodes, memcached and Cassandra over TLS, by an authority in tls/ of the state directory",
    )
    .option("--no-restart", "with --pools: a node that dies stays down")
    .action(async (given: Given, command: Command) => {
      if (given.pools !== undefined || given.stores !== undefined || given.workers !== undefined)
        return exit(await inPools(given, command));
      refuseWithoutPools(given, command);
      const seedExamples = given.examples && isLoopback(given.host);
      const emergency = given.emergency === undefined ? {} : { emergency: resolve(given.emergency) };
      const { turn = false, mediaGateway, json = false, set = [], ...rest } = given;
      exit(await up({ ...rest, ...emergency, set, seedExamples }, { turn, mediaGateway, json }));
    });
}

function refuseWithoutPools(given: Given, command: Command): void {
  const { set } = given;
  const wrong = ["network", "restart"].find((name) => command.getOptionValueSource(name) !== "default");
  if (wrong !== undefined)
    throw new WrongUseError(`--${wrong === "restart" ? "no-restart" : wrong} goes with --pools only`);
  if (given.coreTls === true) throw new WrongUseError("--core-tls goes with --pools only");
  if (given.turn === true && given.ellis !== true)
    throw new WrongUseError("--turn goes with --ellis, which gives users their credentials");
  if (given.turn === true && (given.host === "0.0.0.0" || given.host === "::"))
    throw new WrongUseError("--turn needs the address that phones use: --host ADDRESS");
  if (given.mediaGateway !== undefined && (given.host === "0.0.0.0" || given.host === "::"))
    throw new WrongUseError("--media-gateway needs the address that phones use: --host ADDRESS");
  const member = set?.find(({ node }) => node.includes("-"));
  if (given.charging !== true && set?.some(({ node }) => node === "ralf"))
    throw new WrongUseError("--set ralf: ralf runs with --charging only");
  if (given.mmtel !== true && given.callLists !== true && set?.some(({ node }) => node === "homer"))
    throw new WrongUseError("--set homer: homer runs with --mmtel and --call-lists only");
  if (given.ellis !== true && set?.some(({ node }) => node === "ellis"))
    throw new WrongUseError("--set ellis: ellis runs with --ellis only");
  if (member !== undefined)
    throw new WrongUseError(`--set ${member.node}: members of a pool are there with --pools only`);
}

/** Pools listen on loopback only: what nodes and stores say to each other is not protected otherwise. */
async function inPools(given: Given, command: Command): Promise<number> {
  if (given.mmtel === true) throw new WrongUseError("--mmtel goes without --pools and --stores");
  if (given.callLists === true) throw new WrongUseError("--call-lists goes without --pools and --stores");
  if (given.twinning === true)
    throw new WrongUseError("--twinning goes without --pools and --stores: write --set sprout.twinning=true");
  if (given.charging === true) throw new WrongUseError("--charging goes without --pools and --stores");
  if (given.separate === true)
    throw new WrongUseError("--separate goes without --pools: their members are separate");
  if (given.ibcf !== undefined)
    throw new WrongUseError(
      "--ibcf goes without --pools and --stores: write --set bono.ibcf-peers-file=... and --set sprout.bgcf-file=...",
    );
  if (given.ellis === true) throw new WrongUseError("--ellis goes without --pools and --stores");
  if (given.turn === true) throw new WrongUseError("--turn goes without --pools and --stores");
  if (given.mediaGateway !== undefined)
    throw new WrongUseError(
      "--media-gateway goes without --pools and --stores: run rtpengine and write --set bono.media-gateway=auto and --set bono.media-gateway-addresses=HOST:PORT",
    );
  const pools = given.pools ?? withDefaults(new Map());
  const stores = given.stores ?? { memcached: 0, cassandra: 0 };
  const problem =
    given.workers !== undefined
      ? workersProblem(given.workers, { pools, stores, set: given.set ?? [] })
      : command.getOptionValueSource("host") === "default"
        ? sharingProblem(pools, stores)
        : "--host goes without --pools and --stores; --network says where pools listen";
  if (problem !== undefined) throw new WrongUseError(problem);
  const { network, domain, logLevel, restart, json = false, examples } = given;
  const set = [...emergencyOptions(given), ...(given.set ?? [])];
  const stateDir = resolve(given.stateDir);
  return upPools({
    pools,
    stores,
    network,
    domain,
    stateDir,
    logLevel,
    restart,
    json,
    set,
    seedExamples: examples && (given.workers === undefined || isLoopback(given.host)),
    coreTls: given.coreTls === true,
    workers: given.workers === undefined ? undefined : { count: given.workers, host: given.host },
  });
}

/** For all members of the pools. */
function emergencyOptions({ emergency, domain }: Given): readonly NodeOption[] {
  if (emergency === undefined) return [];
  return [
    { node: "sprout", option: "emergency-file", value: resolve(emergency) },
    { node: "bono", option: "ecscf-uri", value: `sip:ecscf.sprout.${domain};transport=tcp` },
    { node: "bono", option: "emergency-numbers", value: EMERGENCY_NUMBERS },
  ];
}

interface Given extends Omit<UpOptions, "seedExamples" | "set" | "turn" | "mediaGateway"> {
  readonly turn?: boolean;
  readonly mediaGateway?: Engage;
  readonly pools?: PoolCounts;
  readonly stores?: StoreCounts;
  readonly network: string;
  readonly restart: boolean;
  readonly coreTls?: boolean;
  readonly workers?: number;
  readonly examples: boolean;
  readonly json?: boolean;
  readonly set?: readonly NodeOption[];
}

async function up(
  options: UpOptions,
  {
    turn,
    mediaGateway: engage,
    json,
  }: { readonly turn: boolean; readonly mediaGateway: Engage | undefined; readonly json: boolean },
): Promise<number> {
  const stateDir = resolve(options.stateDir);
  makeStateDir(stateDir);
  if (options.ibcf !== undefined) writeFileSync(join(stateDir, IBCF_ROUTES), ibcfRoutes(options));
  const began = Date.now();
  const coturn = turn ? await startCoturn({ ...options, stateDir }) : undefined;
  const rtpengine = await mediaGatewayOf(engage, { ...options, stateDir }).catch(async (error: unknown) => {
    await coturn?.stop();
    throw error;
  });
  const helpers = [coturn, rtpengine].flatMap((one) => (one === undefined ? [] : [one]));
  const told = {
    ...{ ...options, turn: coturn, mediaGateway: rtpengine },
    // What the nodes tell beside metrics and health is for nobody else who reaches the ports.
    ...(isLoopback(options.host) ? {} : { managementTokenFile: managementTokenFile(stateDir) }),
  };
  const supervisor = new Supervisor(
    nodeProcesses(nodeCommands({ ...told, stateDir, keys: poolKeys(stateDir) }), options.separate !== true),
    (line) => process.stderr.write(`tidewater: ${line}\n`),
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
    else console.log(guide(told, started, seconds));
    const failure = await Promise.race([signal, supervisor.failure, ...helpers.map((one) => one.failure)]);
    if (failure === undefined) return 0;
    process.stderr.write(`tidewater: ${failure}\n`);
    return 1;
  } finally {
    await supervisor.stop();
    await Promise.all(helpers.map((one) => one.stop()));
  }
}

/** Commands to it stay on this machine, as what the nodes say to each other. */
async function mediaGatewayOf(
  engage: Engage | undefined,
  { host, stateDir }: Pick<UpOptions, "host" | "stateDir">,
): Promise<Rtpengine | undefined> {
  if (engage === undefined) return undefined;
  return startRtpengine({ host, inside: isLoopback(host) ? host : "127.0.0.1", stateDir, engage });
}
