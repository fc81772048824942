import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { EtcdClient, enrol, newJoinToken, parseEndpoints } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";
import { configDrive } from "./config-drive.ts";
import { until } from "./host-side.ts";
import { Machine } from "./machine.ts";

export interface VellumRequest {
  readonly folder: string;
  readonly image: string;
  readonly bridge: string;
  /** First three parts of its network. */
  readonly net: string;
  readonly deadline: number;
  /** Ended by the caller whatever happens. */
  readonly machines: Machine[];
  readonly note: (what: string, value: string) => void;
}

const VOLUME = "5f3a9c62-0d0e-4b7e-9a43-6d0a6a2f4c41";
const MAC = "52:54:00:90:00:23";

/**
 * A vellum by itself: blank data volume, authority, etcd over TLS, memcached, registered; then the server is made anew with the
 * same volume, and has what it had. @throws Error
 */
export async function bootVellum(request: VellumRequest): Promise<void> {
  const { folder, image, bridge, net, deadline, machines, note } = request;
  const address = `${net}.23`;
  const file = join(folder, "volume.raw");
  writeFileSync(file, "");
  truncateSync(file, 1 << 30);
  const token = newJoinToken();
  const drive = configDrive(folder, {
    ...{ role: "vellum", name: "vellum-0", index: 0, address, mac: MAC },
    values: {
      ...{ home_domain: "example.com", cell: "0", index: "0", seeds: JSON.stringify([address]), address },
      ...{ ready_signal: "", join_token: token, management_address: address, data_volume: VOLUME },
      ...{ own_cassandra: "off", etcd_tls: "on" },
    },
  });
  const boot = async (what: string): Promise<Machine> => {
    const volume = { file, id: VOLUME };
    const machine = new Machine({ folder, name: "vellum-0", image, drive, mac: MAC, bridge, volume });
    machines.push(machine);
    const seconds = await machine.says("node ready", deadline);
    note(`vellum-0 ${what}: BIOS to node ready`, `${seconds.toFixed(0)} s`);
    return machine;
  };

  const first = await boot("with a blank data volume");
  const own = join(folder, "enrolled");
  mkdirSync(own);
  const servers = [`http://${address}:2378`];
  await until("etcd-cluster lets a machine in", 60, async () => {
    await enrol({ servers, token, name: "sprout-9", address: `${net}.1`, folder: own });
    return true;
  });
  const pem = (name: string): string => readFileSync(join(own, name), "utf8");
  const tls = { ca: pem("ca.pem"), cert: pem("own.pem"), key: pem("own.key") };
  const clock = systemClock();
  const endpoints = parseEndpoints(`https://${address}:2379`);
  const inside = new EtcdClient({ endpoints, clock, tls });
  const outside = new EtcdClient({ endpoints, clock, tls: { ca: tls.ca }, deadlineMs: 2000 });
  try {
    if ((await outside.put("k", "v")).kind !== "unavailable")
      throw new Error("etcd takes what comes without a certificate");
    // Clocks may differ by a moment.
    await until(
      "etcd takes the certificate",
      30,
      async () => (await inside.put("/kept", "yes")).kind === "stored",
    );
    note("etcd of vellum-0", "takes the certificate that the join token brought, and nobody without one");
    await until("memcached is registered", 60, async () => {
      const found = await inside.range({ prefix: "/tidewater/members/memcached/" });
      return found.kind === "found" && found.entries.some(({ value }) => value.includes(address));
    });
    await until("memcached answers", 10, () => answers(address, 11211, "version\r\n", /^VERSION /));
    await first.stop();
    rmSync(join(folder, "vellum-0.qcow2"));
    rmSync(first.console);
    await boot("made anew with its data volume");
    await until("etcd has what it had", 60, async () => {
      const found = await inside.range({ key: "/kept" });
      return found.kind === "found" && found.entries[0]?.value === "yes";
    });
    note("etcd of the new vellum-0", "has what was written before, and knows the machine that was let in");
  } finally {
    inside.close();
    outside.close();
  }
  for (const machine of machines.splice(0)) await machine.stop();
}

function answers(host: string, port: number, asks: string, expected: RegExp): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 3000 }, () => socket.write(asks));
    socket.once("data", (data) => {
      socket.destroy();
      resolve(expected.test(data.toString("latin1")));
    });
    socket.once("timeout", () => socket.destroy(new Error("no answer")));
    socket.once("error", reject);
  });
}
