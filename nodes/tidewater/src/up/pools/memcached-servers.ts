import { setTimeout as delay } from "node:timers/promises";
import { replaceFile } from "@ims/runtime";
import type { LabAuthority } from "./lab-authority.ts";
import { Member } from "./member.ts";
import { hostOf, MEMCACHED_PORT, storeAddresses } from "./member-command.ts";
import { memcachedRunner } from "./memcached-runner.ts";

/** Every sprout has read a file that is so old. */
const READ_MS = 2_000;
const LOOK_EVERY_MS = 500;
const BROUGHT_OVER_WITHIN_MS = 300_000;
const GAUGE = /^ims_sprout_memcached_exchange ([01])$/m;

export interface MemcachedServersOptions {
  readonly network: string;
  /** What sprouts follow. */
  readonly file: string;
  readonly restart: boolean;
  readonly say: (line: string) => void;
  /** They speak TLS. */
  readonly authority?: LabAuthority | undefined;
}

type Sprout = Pick<Member, "name" | "host" | "ports" | "state">;
/** A sprout as it is now. */
export type AskSprout = () => Sprout | undefined;

/** The memcached servers of the pools, and the file that tells sprouts of them. */
export class MemcachedServers {
  readonly #options: MemcachedServersOptions;
  readonly #members: Member[];
  /** How many are in use; there are more while entries are brought over. */
  #count: number;

  constructor(options: MemcachedServersOptions, count: number) {
    this.#options = options;
    this.#count = count;
    this.#members = Array.from({ length: count }, (_, at) => this.#member(at + 1));
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Tells sprouts of the servers in use, and of those that shall be used instead. */
  async publish(next?: number): Promise<void> {
    const { network, file } = this.#options;
    const servers = storeAddresses(network, "memcached", this.#count);
    const then = next === undefined ? {} : { next: storeAddresses(network, "memcached", next) };
    await replaceFile(file, `${JSON.stringify({ version: 1, servers, ...then })}\n`);
  }

  /** Another number of servers, without losing an entry: old and new ones together until the sprouts have brought all over. */
  async scale(count: number, sprouts: readonly AskSprout[], progress: (line: string) => void): Promise<void> {
    if (count === this.#count) return;
    while (this.#members.length < count) {
      const member = this.#member(this.#members.length + 1);
      await member.start();
      this.#members.push(member);
      progress(`${member.name} is ready on ${member.host} (pid ${member.pid})`);
    }
    await this.publish(count);
    progress("memcached: entries are brought over");
    await this.#broughtOver(sprouts);
    this.#count = count;
    await this.publish();
    await delay(READ_MS);
    for (const member of this.#members.splice(count)) {
      await member.stop();
      progress(`${member.name} is gone`);
    }
  }

  /** Those that do not run will read the file when they start. */
  async #broughtOver(sprouts: readonly AskSprout[]): Promise<void> {
    const deadline = performance.now() + BROUGHT_OVER_WITHIN_MS;
    await delay(READ_MS);
    for (const ask of sprouts)
      for (let sprout = ask(); sprout?.state === "ready" && !(await hasBroughtOver(sprout)); sprout = ask()) {
        if (performance.now() > deadline)
          throw new Error(
            `${sprout.name} has not brought all entries over within ${BROUGHT_OVER_WITHIN_MS / 60_000} minutes; old and new memcached stay in use together`,
          );
        await delay(LOOK_EVERY_MS);
      }
  }

  #member(index: number): Member {
    const { network, restart, say, authority } = this.#options;
    const name = `memcached-${index}`;
    const host = hostOf(network, "memcached", index);
    const runner =
      authority === undefined
        ? memcachedRunner(name, host, MEMCACHED_PORT)
        : authority.certified(
            memcachedRunner(name, host, MEMCACHED_PORT, { tls: authority.filesOf(name) }),
            name,
            host,
          );
    return new Member({ name, pool: "memcached", host, runner, restart, say });
  }
}

/** What a sprout says of itself at its management port. */
async function hasBroughtOver({ host, ports }: Sprout): Promise<boolean> {
  try {
    const response = await fetch(`http://${host}:${ports["management"]}/metrics`, {
      signal: AbortSignal.timeout(2_000),
    });
    return GAUGE.exec(await response.text())?.[1] === "0";
  } catch {
    return false;
  }
}
