import { type Clock, type Logger, replaceFile, type Service } from "@ims/runtime";
import { nodetoolControl, runProgram } from "./cluster-manager/cassandra/nodetool.ts";
import { RingAgent } from "./cluster-manager/cassandra/ring-agent.ts";
import { CASSANDRA, STORAGE_PORT } from "./cluster-manager/cassandra/ring-manager.ts";
import { serverId } from "./cluster-manager/document-manager.ts";
import type { EtcdClient } from "./etcd/client.ts";
import { EtcdError } from "./etcd/errors.ts";
import type { EtcdClusterOptions } from "./options.ts";
import { RestartAgent } from "./queue-manager/restart-agent.ts";
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
  const { clock } = modules;
  const healthy = async (): Promise<boolean> => {
    const answer = await fetch(healthUrl, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok === true;
  };
  return new RestartAgent({
    ...modules,
    pool,
    name,
    healthy,
    async restart() {
      await registration.change({ state: "draining" });
      try {
        await runProgram(words(restartCommand));
        const end = clock.monotonic() + READY_WITHIN_MS;
        while (!(await healthy()) && clock.monotonic() < end)
          await new Promise<void>((resolve) => clock.setTimer(250, resolve));
      } finally {
        await registration.change({ state: "up" });
      }
    },
  });
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
