import { spawnSync } from "node:child_process";
import { turnCredentials } from "@ims/api";
import { etcdClientOf, flowTokenKeyOf, turnSecretOf } from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";

/** Two allocations at the coturn of a bono talk to each other, with credentials from the secret that etcd-admin would print. @throws Error */
export async function turnRelays(seed: string, bono: string): Promise<string> {
  const clock = systemClock();
  const tls = { etcdCa: "", etcdCertificate: "", etcdKey: "" };
  const client = etcdClientOf({ etcd: `http://${seed}:2379`, ...tls }, clock);
  const found = await flowTokenKeyOf(client, "/tidewater").finally(() => client.close());
  if (found.kind !== "key") throw new Error(`no key of flow tokens: ${found.kind}`);
  const { username, password } = turnCredentials({
    ...{ secret: turnSecretOf(found.key), user: "test", now: clock.now(), ttlSeconds: 3600, uris: [] },
  });
  const uclient = (pass: string) =>
    spawnSync("turnutils_uclient", ["-u", username, "-w", pass, "-n", "5", "-m", "1", "-c", "-y", bono], {
      encoding: "utf8",
      timeout: 60_000,
    });
  const ended = uclient(password);
  if (ended.status !== 0)
    throw new Error(`turnutils_uclient: ${ended.error ?? `${ended.stdout}${ended.stderr}`}`);
  if (uclient("made up").status === 0) throw new Error("TURN takes credentials that were made up");
  // It tells its counts every second, from nothing; the last is the sum of both allocations.
  const output = `${ended.stdout}${ended.stderr}`;
  const [sent = 0, received = 0] = (
    [...output.matchAll(/tot_send_msgs=(\d+), tot_recv_msgs=(\d+)/g)].at(-1)?.slice(1) ?? []
  ).map(Number);
  if (received === 0) throw new Error(`TURN relayed nothing: ${output}`);
  return `${received} of ${sent} messages relayed`;
}
