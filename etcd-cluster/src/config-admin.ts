import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { systemClock, withServiceOptions } from "@ims/runtime";
import { type ConfigReader, keyReaders, secretsOf } from "./config-manager/config-check.ts";
import { type ApplyResult, ConfigManager } from "./config-manager/config-manager.ts";
import { diffSettings, readSettings, type SettingChange, writeSettings } from "./config-manager/settings.ts";
import type { EtcdClient } from "./etcd/client.ts";
import { changeQueue, queueKey } from "./queue-manager/restart-agent.ts";
import type { QueueInput } from "./queue-manager/restart-queue.fsm.ts";
import { membersPrefix, readMember } from "./registry/member-record.ts";
import { etcdClientOf } from "./service.ts";
import { siteStatus } from "./site-status.ts";

const HELP = `site-config COMMAND [options]

The configuration that all nodes of a site share (key=value lines), kept in etcd:
  show                      what is in force; secrets do not show
  diff FILE                 what apply would change, or what nodes would refuse, by line
  apply FILE                checks it and puts it in force, whole or not at all; --author, --comment, --on NUMBER (refused when another one is in force)
  set KEY=VALUE...          the same for single options; the others stay
  unset KEY...
  history                   who changed it when
  rollback NUMBER           puts an earlier one in force again

Members restart one at a time, each when all others of its pool are well; a change of the configuration asks for it by itself:
  restart POOL [MEMBER...]  asks for it; without names: all members of the pool
  restarts POOL             who waits, restarts, is done, has failed
  resume POOL               goes on after a failure
  cancel POOL               takes out those that have not begun

  status                    members of all pools, the clusters of memcached and Cassandra, who waits for a restart

--etcd URLS, --etcd-ca, --etcd-certificate, --etcd-key, --root (default /tidewater)
`;

type Say = (line: string) => void;

interface Site {
  readonly client: EtcdClient;
  readonly manager: ConfigManager;
  readonly nodes: readonly ConfigReader[];
  readonly root: string;
  readonly say: Say;
}

/** Runs one command for operators; gives the exit code: 0 done, 1 failed or refused, 2 wrong use. `kinds`: of node that read the configuration. */
export async function configAdmin(
  args: readonly string[],
  kinds: readonly ConfigReader[],
  say: Say,
): Promise<number> {
  const nodes = kinds.map(({ pool, schema }) => ({ pool, schema: withServiceOptions(schema) }));
  const text = { type: "string", default: "" } as const;
  const read = () =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...{ etcd: text, "etcd-ca": text, "etcd-certificate": text, "etcd-key": text },
        ...{ author: text, comment: text, on: text },
        root: { type: "string", default: "/tidewater" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  let given: ReturnType<typeof read>;
  try {
    given = read();
  } catch (error) {
    return wrong(say, error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = given;
  const [command, what = "", ...names] = positionals;
  if (values.help) {
    say(HELP.trimEnd());
    return 0;
  }
  if (command === undefined) return wrong(say, "which command?");
  const wanted = WANTS.get(command);
  if (wanted === undefined) return wrong(say, `there is no command ${command}`);
  if (wanted !== "" && what === "") return wrong(say, `${command} needs ${wanted}`);
  if (values.etcd === "") return wrong(say, `${command} needs --etcd`);
  const on = values.on === "" ? undefined : Number(values.on);
  if (on !== undefined && !(Number.isInteger(on) && on >= 0)) return wrong(say, "--on is a number");
  const { root, author, comment } = values;
  const tls = {
    etcdCa: values["etcd-ca"],
    etcdCertificate: values["etcd-certificate"],
    etcdKey: values["etcd-key"],
  };
  try {
    const clock = systemClock();
    const client = etcdClientOf({ etcd: values.etcd, ...tls }, clock);
    const site = { client, root, say, nodes, manager: new ConfigManager({ client, clock, root, nodes }) };
    const change = {
      author: author || (process.env["SUDO_USER"] ?? process.env["USER"] ?? "operator"),
      comment,
    };
    const seen = on === undefined ? {} : { on };
    try {
      switch (command) {
        case "show":
          return await show(site);
        case "history":
          return await history(site);
        case "status": {
          for (const line of await siteStatus(client, root)) say(line);
          return 0;
        }
        case "diff":
          return await diff(site, await readFile(what, "utf8"));
        case "apply":
          return told(
            say,
            await site.manager.apply({ text: await readFile(what, "utf8"), ...change, ...seen }),
          );
        case "set":
        case "unset": {
          const text = await edited(site, command, [what, ...names]);
          return typeof text === "number"
            ? text
            : told(say, await site.manager.apply({ ...change, ...text }));
        }
        case "rollback":
          return told(say, await site.manager.rollback({ to: Number(what), author: change.author, ...seen }));
        default:
          return await queue(site, what, await inputOf(site, command, what, names));
      }
    } finally {
      client.close();
    }
  } catch (error) {
    say(`site-config: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

/** What each command needs. */
const WANTS: ReadonlyMap<string, string> = new Map([
  ["show", ""],
  ["history", ""],
  ["status", ""],
  ["diff", "FILE"],
  ["apply", "FILE"],
  ["set", "KEY=VALUE"],
  ["unset", "KEY"],
  ["rollback", "NUMBER"],
  ["restart", "POOL"],
  ["restarts", "POOL"],
  ["resume", "POOL"],
  ["cancel", "POOL"],
]);

async function show({ manager, nodes, say }: Site): Promise<number> {
  const now = await manager.show();
  if (now.kind !== "config") return told(say, now);
  const { number, at, author, text } = now.document;
  say(`# configuration ${number}, ${new Date(at).toISOString()}, ${author}`);
  const read = readSettings(text);
  const settings = read.kind === "settings" ? read.settings : new Map<string, string>();
  // What no node knows any more shows no value.
  const readers = keyReaders(nodes);
  const unknown = [...settings.keys()].filter((key) => readers(key).length === 0);
  const secret = new Set([...secretsOf(text, nodes), ...unknown]);
  for (const { key, after = "" } of diffSettings(new Map(), settings, secret)) say(`${key}=${after}`);
  return 0;
}

async function history({ manager, say }: Site): Promise<number> {
  const found = await manager.history();
  if (found.kind === "unavailable") return told(say, found);
  for (const { number, at, author, comment } of found.documents)
    say(`${number}  ${new Date(at).toISOString()}  ${author}${comment === "" ? "" : `  ${comment}`}`);
  if (found.documents.length === 0) say("nothing has been applied yet");
  return 0;
}

async function diff({ manager, say }: Site, text: string): Promise<number> {
  const result = await manager.diff(text);
  if (result.kind !== "changes") return told(say, result);
  sayChanges(say, result.changes);
  return 0;
}

/** The text in force with some options changed, and its number; or an exit code. */
async function edited(
  { manager, say }: Site,
  command: "set" | "unset",
  options: readonly string[],
): Promise<{ readonly text: string; readonly on: number } | number> {
  const now = await manager.show();
  if (now.kind !== "config" && now.kind !== "none") return told(say, now);
  const read = readSettings(now.kind === "config" ? now.document.text : "");
  const settings = new Map(read.kind === "settings" ? read.settings : []);
  for (const option of options) {
    const [, key = "", value = ""] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(option) ?? [];
    if (command === "unset" ? !settings.delete(option) : key === "")
      return wrong(
        say,
        command === "unset" ? `${option} is not set` : `write KEY=VALUE, not ${option.split("=")[0]}`,
      );
    if (command === "set") settings.set(key, value);
  }
  return { text: writeSettings(settings), on: now.kind === "config" ? now.document.number : 0 };
}

function sayChanges(say: Say, changes: readonly SettingChange[]): void {
  for (const { key, before, after } of changes) {
    if (before !== undefined) say(`- ${key}=${before}`);
    if (after !== undefined) say(`+ ${key}=${after}`);
  }
}

function told(say: Say, result: ApplyResult): number {
  switch (result.kind) {
    case "applied": {
      const { number, restart } = result.document;
      sayChanges(say, result.changes);
      say(`configuration ${number} is in force`);
      if (restart.length > 0)
        say(`members restart one at a time: ${restart.join(", ")} (restarts POOL shows it)`);
      return 0;
    }
    case "unchanged":
      say(`configuration ${result.document.number} says the same already`);
      return 0;
    case "invalid":
      for (const { line, key, problem } of result.problems) say(`line ${line}: ${key}: ${problem}`);
      say("nothing was changed");
      return 1;
    case "contention":
      say(`configuration ${result.number} is in force meanwhile: look at it (show), then apply again`);
      return 1;
    case "none":
      say("there is none: nothing has been applied yet, or it is not kept any more (history)");
      return 1;
    case "unreadable":
      say(`${result.key} cannot be read: it is damaged, or of a later release`);
      return 1;
    case "unavailable":
      say(`${result.cause.message}: etcd has no quorum, or is not reached`);
      if (result.maybeDone) say("whether it was done is not known: look with show");
      return 1;
  }
}

async function inputOf(
  { client, root }: Site,
  command: string,
  pool: string,
  names: readonly string[],
): Promise<QueueInput> {
  if (command === "resume" || command === "cancel") return { kind: command };
  if (command === "restarts" || names.length > 0)
    return { kind: "enqueue", names: command === "restarts" ? [] : names };
  const found = await client.range({ prefix: membersPrefix(root) });
  if (found.kind === "unavailable") throw found.cause;
  const members = found.entries.flatMap(({ key, value }) => readMember(root, key, value) ?? []);
  const all = members.filter((member) => member.pool === pool).map(({ name }) => name);
  if (all.length === 0) {
    const pools = [...new Set(members.map((member) => member.pool))].sort().join(", ");
    throw new Error(`nobody is registered in the pool ${pool}; there are members in ${pools || "none"}`);
  }
  return { kind: "enqueue", names: all };
}

async function queue({ client, root, say }: Site, pool: string, input: QueueInput): Promise<number> {
  const result = await changeQueue(client, queueKey(root, pool), input, Date.now());
  if (result.kind === "unavailable") throw result.cause;
  if (result.kind !== "changed" && result.kind !== "unchanged") {
    say(result.kind === "contention" ? "others change the queue: try again" : "the queue cannot be read");
    return 1;
  }
  for (const { name, state, since } of result.queue.entries)
    say(`${name}  ${state}  ${new Date(since).toISOString()}`);
  if (result.queue.entries.length === 0) say("nobody waits");
  return result.queue.entries.some(({ state }) => state === "failed") ? 1 : 0;
}

function wrong(say: Say, problem: string): number {
  say(`site-config: ${problem} (--help)`);
  return 2;
}
