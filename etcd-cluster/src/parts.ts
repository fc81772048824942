import { type Clock, type Logger, replaceFile, type Service } from "@ims/runtime";
import { nodetoolControl, runProgram } from "./cluster-manager/cassandra/nodetool.ts";
import { RingAgent } from "./cluster-manager/cassandra/ring-agent.ts";
import { CASSANDRA, STORAGE_PORT } from "./cluster-manager/cassandra/ring-manager.ts";
import { serverId } from "./cluster-manager/document-manager.ts";
import { EdgeReceiver } from "./edge/edge-receiver.ts";
import { EdgeSender } from "./edge/edge-sender.ts";
import { openAuthority } from "./enrolment/authority.ts";
import { EnrolmentServer } from "./enrolment/enrolment-server.ts";
import { etcdLedger } from "./enrolment/join-token.ts";
import type { EtcdClient } from "./etcd/client.ts";
import { EtcdError } from "./etcd/errors.ts";
import type { EdgeAgentOptions, EtcdClusterOptions } from "./options.ts";
import { RestartAgent } from "./queue-manager/restart-agent.ts";
import type { PoolsPlan } from "./registry/pools-document.ts";
import { Registration } from "./registry/registration.ts";

export interface PartModules {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly root: string;
}

/** How long a node that was restarted may take until it says it is ready, ms. */
const READY_WITHIN_MS = 120_000;

/** Restarts the node of this machine when its turn has come: out of the pool, restarted, ready, into the pool. */
export function restartPart(
  { pool, member: name, restartCommand, healthUrl }: EtcdClusterOptions,
  modules: PartModules,
  registration: Registration,
): Service {
  if (!URL.canParse(healthUrl)) throw fault(healthUrl, "--restart-command needs --health-url");
  const healthy = (): Promise<boolean> => isWell(healthUrl);
  return new RestartAgent({
    ...modules,
    pool,
    name,
    healthy,
    async restart() {
      await registration.change({ state: "draining" });
      try {
        await restarted(restartCommand, healthUrl, modules.clock);
      } finally {
        await registration.change({ state: "up" });
      }
    },
  });
}

async function isWell(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.ok === true;
}

/** False: it is not well, and was given time. Rejects when the command fails. */
async function restarted(command: string, healthUrl: string, clock: Clock): Promise<boolean> {
  await runProgram(words(command));
  const end = clock.monotonic() + READY_WITHIN_MS;
  for (;;) {
    if (await isWell(healthUrl)) return true;
    if (clock.monotonic() >= end) return false;
    await new Promise<void>((resolve) => clock.setTimer(250, resolve));
  }
}

/** Beside a node in the DMZ: takes what the core tells it. */
export function createEdgeAgent(
  options: EdgeAgentOptions,
  { clock, log }: Pick<PartModules, "clock" | "log">,
): Service {
  const { member: name, host, port, restartCommand, healthUrl } = options;
  return new EdgeReceiver({
    ...{ clock, log, name, host, port },
    files: {
      joinToken: options.joinTokenFile,
      state: options.stateFile,
      sharedConfig: options.configFile,
      pools: options.poolsFile,
    },
    async restart() {
      if (!(await restarted(restartCommand, healthUrl, clock)))
        throw fault(healthUrl, `${name} is not well after its restart`);
    },
  });
}

/** Tells the nodes in the DMZ. */
export function edgePart(
  { edges, edgePool, edgeTells }: EtcdClusterOptions,
  modules: PartModules,
  plan: PoolsPlan,
  registration: Registration,
): Service {
  const pools = plan.pools.filter(({ name }) => edgeTells.includes(name));
  const lease = (): string | undefined => registration.lease;
  return new EdgeSender({ ...modules, pool: edgePool, plan: { ...plan, pools }, edges, lease });
}

/** Lets machines in by join tokens. */
export function enrolmentPart(
  { authorityFolder, addresses, enrolPort }: EtcdClusterOptions,
  modules: PartModules,
): Service {
  const { client, clock, log, root } = modules;
  let server: EnrolmentServer | undefined;
  return {
    async start() {
      const authority = await openAuthority(authorityFolder);
      const ledger = etcdLedger(client, root);
      server = new EnrolmentServer({
        clock,
        log,
        authority,
        ledger,
        host: addresses[0] ?? "",
        port: enrolPort,
      });
      await server.start();
    },
    quiesce: () => Promise.resolve(),
    stop: async () => server?.stop(),
  };
}

/** The Cassandra of this machine: its own entry in the registry, and what is done for the ring. */
export function cassandraPart(options: EtcdClusterOptions, modules: PartModules): Service[] {
  const { addresses, cassandraRingFile, cassandraMarkFile, cassandraLaunch, cassandraDiscard } = options;
  for (const [option, value] of Object.entries({ cassandraLaunch, cassandraRingFile, cassandraMarkFile }))
    if (value === "") throw fault(option, "--cassandra-nodetool needs it");
  const number = /-([0-9]+)$/.exec(options.member)?.[1];
  if (number === undefined) throw fault(options.member, "a member's name ends with its number: vellum-1");
  const member = { pool: CASSANDRA, name: `${CASSANDRA}-${number}`, addresses, state: "up" } as const;
  const registration = new Registration({ ...modules, member });
  const agent = new RingAgent({
    ...modules,
    name: member.name,
    id: serverId(member, STORAGE_PORT),
    lease: () => registration.lease,
    onLeaving: (leaving) => registration.change({ state: leaving ? "draining" : "up" }),
    control: nodetoolControl({
      nodetool: words(options.cassandraNodetool),
      markFile: cassandraMarkFile,
      async launch({ seeds, enters }) {
        const replaces = typeof enters === "object" ? enters.replaces : undefined;
        const how = { version: 1, seeds, bootstrap: enters !== undefined, ...(replaces && { replaces }) };
        await replaceFile(cassandraRingFile, `${JSON.stringify(how)}\n`);
        await runProgram(words(cassandraLaunch));
      },
      async discard() {
        if (cassandraDiscard !== "") await runProgram(words(cassandraDiscard));
      },
    }),
  });
  // A machine that reboots stays in the ring: the end of this process asks for nothing.
  const registered: Service = {
    start: () => registration.start(),
    quiesce: () => Promise.resolve(),
    stop: () => registration.stop(),
  };
  return [registered, agent];
}

function words(command: string): string[] {
  return command.split(/\s+/).filter((word) => word !== "");
}

function fault(value: string, problem: string): EtcdError {
  return new EtcdError({ code: "ETCD_OPTION", text: value, problem });
}
