import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { systemClock } from "@ims/runtime";
import { flowTokenKeyOf, turnSecretOf } from "./edge/turn-secret.ts";
import { enrol } from "./enrolment/enrol.ts";
import {
  admitToken,
  edgeTokenOf,
  newJoinToken,
  reopenToken,
  type TokenPurpose,
  type TokenUses,
} from "./enrolment/join-token.ts";
import type { EtcdClient } from "./etcd/client.ts";
import { restoreSnapshot, type Snapshot, saveSnapshot, verifySnapshot } from "./members/backup.ts";
import { etcdClientOf } from "./service.ts";

const HELP = `etcd-admin COMMAND [options]

  backup FILE                 a snapshot of etcd, checked, readable by its owner only
  verify FILE                 whether a snapshot is whole
  restore FILE                the data of one member from a snapshot: --data-dir, --name, --peer-url, --cluster; its etcd must not run
  token                       prints a new join token, good for --uses machines (default 1) within --hours (default 24); so is the one that the
                              Heat templates make from it for the DMZ
  reopen                      makes the token in --token-file, and that of the DMZ made from it, good again for --uses and --hours: before machines
                              are made anew with the user data that they had, by an upgrade say
  turn-secret                 prints the secret of the TURN servers beside bono, for who hands out credentials (--turn-secret-file of ellis)
  enrol                       has this machine let in: --server http://address:2378 (may be repeated), --token-file, --name, --address, --folder

backup, token, reopen and turn-secret ask etcd: --etcd URLS, --etcd-ca, --etcd-certificate, --etcd-key, --root (default /tidewater)
`;

/** Runs one command for operators; gives the exit code: 0 done, 1 failed, 2 wrong use. */
export async function admin(args: readonly string[], say: (line: string) => void): Promise<number> {
  const text = { type: "string", default: "" } as const;
  let given: ReturnType<typeof read>;
  const read = () =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...{ etcd: text, "etcd-ca": text, "etcd-certificate": text, "etcd-key": text },
        ...{ "data-dir": text, name: text, "peer-url": text, cluster: text },
        ...{ "token-file": text, address: text, folder: text },
        root: { type: "string", default: "/tidewater" },
        uses: { type: "string", default: "1" },
        hours: { type: "string", default: "24" },
        server: { type: "string", multiple: true, default: [] },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  try {
    given = read();
  } catch (error) {
    return wrong(say, error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = given;
  const [command, file = ""] = positionals;
  const missing = (...names: (keyof typeof values)[]): string | undefined =>
    names.find((name) => values[name] === "" || String(values[name]) === "");
  const withClient = async (work: (client: EtcdClient) => Promise<number>): Promise<number> => {
    if (values.etcd === "") return wrong(say, `${command} needs --etcd`);
    const tls = {
      etcdCa: values["etcd-ca"],
      etcdCertificate: values["etcd-certificate"],
      etcdKey: values["etcd-key"],
    };
    const client = etcdClientOf({ etcd: values.etcd, ...tls }, systemClock());
    try {
      return await work(client);
    } finally {
      client.close();
    }
  };
  const reopen = async (client: EtcdClient, path: string, root: string, good: TokenUses): Promise<number> => {
    if (path === "") return wrong(say, "reopen needs --token-file");
    const token = (await readFile(path, "utf8")).trim();
    for (const [one, purpose] of bothOf(token)) {
      const result = await reopenToken(client, root, one, { ...good, purpose });
      if (result.kind === "unavailable") throw result.cause;
    }
    say(`good until ${new Date(good.expires).toISOString()}`);
    return 0;
  };
  if (values.help) {
    say(HELP.trimEnd());
    return 0;
  }
  try {
    switch (command) {
      case "backup":
        if (file === "") return wrong(say, "backup FILE");
        return await withClient(async (client) =>
          told(say, file, await saveSnapshot(client, file, new AbortController().signal)),
        );
      case "verify":
        return file === "" ? wrong(say, "verify FILE") : told(say, file, await verifySnapshot(file));
      case "restore": {
        const absent = missing("data-dir", "name", "peer-url", "cluster");
        if (file === "" || absent !== undefined)
          return wrong(say, `restore FILE needs --${absent ?? "data-dir"}`);
        const { name, cluster, "data-dir": dataDir, "peer-url": peerUrl } = values;
        return told(say, dataDir, await restoreSnapshot({ snapshot: file, dataDir, name, peerUrl, cluster }));
      }
      case "token":
      case "reopen":
        return await withClient(async (client) => {
          const [uses, hours] = [Number(values.uses), Number(values.hours)];
          if (!Number.isInteger(uses) || uses < 1 || uses > 1000) return wrong(say, "--uses is 1 to 1000");
          if (!(hours > 0 && hours <= 720)) return wrong(say, "--hours is more than 0, at most 720");
          const good = { uses, expires: Date.now() + hours * 3_600_000 };
          if (command === "reopen") return await reopen(client, values["token-file"], values.root, good);
          const token = newJoinToken();
          for (const [one, purpose] of bothOf(token)) {
            const result = await admitToken(client, values.root, one, { ...good, purpose });
            if (result.kind === "unavailable") throw result.cause;
          }
          say(token);
          return 0;
        });
      case "turn-secret":
        return await withClient(async (client) => {
          const found = await flowTokenKeyOf(client, values.root);
          if (found.kind === "unavailable") throw found.cause;
          if (found.kind === "none") throw new Error("no bono was told a key of flow tokens yet");
          say(turnSecretOf(found.key));
          return 0;
        });
      case "enrol": {
        const absent = missing("token-file", "name", "address", "folder", "server");
        if (absent !== undefined) return wrong(say, `enrol needs --${absent}`);
        const token = (await readFile(values["token-file"], "utf8")).trim();
        const { name, address, folder, server: servers } = values;
        say(await enrol({ servers, token, name, address, folder }));
        return 0;
      }
      default:
        return wrong(say, command === undefined ? "which command?" : `there is no command ${command}`);
    }
  } catch (error) {
    say(`etcd-admin: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

/** The core is given one, the DMZ the other. */
function bothOf(token: string): (readonly [token: string, purpose: TokenPurpose])[] {
  return [
    [token, "machine"],
    [edgeTokenOf(token), "edge"],
  ];
}

function told(say: (line: string) => void, file: string, { bytes, revision, keys }: Snapshot): number {
  say(`${file}: ${keys} keys at revision ${revision}, ${bytes} bytes, whole`);
  return 0;
}

function wrong(say: (line: string) => void, problem: string): number {
  say(`etcd-admin: ${problem} (--help)`);
  return 2;
}
