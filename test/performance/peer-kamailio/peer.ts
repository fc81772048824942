import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Element,
  elements,
  type PeerOptions,
  peerAddresses,
  scscfUri,
  writePeerConfiguration,
} from "./config.ts";
import { answersOptions, kamailioVersion, mustBeFree, startElement, stopOne } from "./processes.ts";

export type Peer = {
  /** Process ids by element; each element is a tree of processes. */
  readonly pids: ReadonlyMap<Element | "hss", number>;
  readonly version: string;
  hssCounters(): Promise<Record<string, number>>;
  stop(): Promise<void>;
};

/** Starts HSS, S-, I- and P-CSCF and resolves when all answer. `subscribersFile`: lines `user;password`. */
export async function startPeer(options: PeerOptions, subscribersFile: string): Promise<Peer> {
  const version = kamailioVersion();
  if (version === null) throw new Error("Kamailio is not installed: sh scripts/install-test-tools --peer");
  for (const element of elements) await mustBeFree(element, peerAddresses[element]);
  writePeerConfiguration(options);
  const children = new Map<Element | "hss", ChildProcess>();
  const stop = () => stopAll(children);
  try {
    const hss = startHss(options, subscribersFile);
    children.set("hss", hss);
    await nextMessage(hss);
    for (const element of elements) children.set(element, startElement(options.directory, element));
    const hssCounters = async (): Promise<Record<string, number>> => {
      hss.send("counters");
      return (await nextMessage(hss)) as Record<string, number>;
    };
    await until(
      "both Cx connections",
      async () => (await hssCounters())["connections"] === 2,
      options,
      children,
    );
    for (const element of elements)
      await until(element, () => answersOptions(peerAddresses[element]), options, children);
    const pids = new Map([...children].map(([name, child]) => [name, child.pid ?? 0]));
    return { pids, version, hssCounters, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

function startHss(options: PeerOptions, subscribersFile: string): ChildProcess {
  const { host, port } = peerAddresses.hss;
  const program = join(import.meta.dirname, "hss.ts");
  return fork(program, [host, String(port), options.domain, scscfUri(options), subscribersFile]);
}

function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const failed = (): void => reject(new Error("the HSS of the peer ended or said nothing for 5 s"));
    const timer = setTimeout(failed, 5000);
    child.once("exit", failed);
    child.once("message", (message) => {
      clearTimeout(timer);
      child.off("exit", failed);
      resolve(message);
    });
  });
}

async function until(
  what: string,
  check: () => Promise<boolean>,
  { directory }: PeerOptions,
  children: ReadonlyMap<Element | "hss", ChildProcess>,
): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await check())) {
    for (const [name, child] of children) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${name} ended: ${tail(directory, name)}`);
    }
    if (performance.now() > deadline) throw new Error(`the peer did not come up within 20 s: no ${what}`);
    await delay(50);
  }
}

function tail(directory: string, name: string): string {
  if (name === "hss") return "see above";
  return readFileSync(join(directory, `${name}.log`), "utf8")
    .split("\n")
    .slice(-8)
    .join("\n");
}

async function stopAll(children: ReadonlyMap<string, ChildProcess>): Promise<void> {
  await Promise.all([...children].map(([name, child]) => stopOne(child, name !== "hss")));
}
