import { createHash, randomBytes } from "node:crypto";
import type { Clock, Logger, Service } from "@ims/runtime";
import { runtimeProblems } from "@ims/runtime";
import { z } from "zod";
import { parseJson } from "../cluster-manager/cluster-view.ts";
import { configDocumentSchema, configKeys } from "../config-manager/config-document.ts";
import { readSettings, writeSettings } from "../config-manager/settings.ts";
import { etcdLedger, newJoinToken } from "../enrolment/join-token.ts";
import type { EtcdClient } from "../etcd/client.ts";
import { etcdClusterProblems } from "../problems.ts";
import { membersPrefix, readMember } from "../registry/member-record.ts";
import { type PoolsPlan, poolsDocument } from "../registry/pools-document.ts";
import { Turns } from "../turns.ts";
import { sealBundle, unseal } from "./bundle.ts";

export interface EdgeSenderOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly root: string;
  /** Pool of the nodes in the DMZ: only what it reads of the configuration is sent. */
  readonly pool: string;
  /** Pools that they may know of. */
  readonly plan: PoolsPlan;
  /** Where their receivers answer: http://10.0.2.11:9111 */
  readonly edges: readonly string[];
  /** That our registration is bound to: one machine delivers at a time. */
  readonly lease: () => string | undefined;
  /** Default 2,000. */
  readonly everyMs?: number;
}

const stateSchema = z.object({
  version: z.literal(1),
  secret: z.string().min(22),
  flowTokenKey: z.string().min(32),
  /** Of the last content, and what it was. */
  number: z.int().min(0),
  digest: z.string(),
});
type EdgeState = z.output<typeof stateSchema>;

const describedSchema = z.object({
  version: z.literal(1),
  name: z.string().regex(/^[a-z0-9-]{1,63}$/),
  number: z.int().min(0),
  token: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
const LOOK_MS = 3000;
/** A node is restarted meanwhile. */
const TAKE_MS = 180_000;

/**
 * Delivers pools and configuration to nodes in the DMZ, which can reach nothing in the core: connections go from here to there. One node at a
 * time, the next one when that one works with it. The key of their flow tokens is made here unless the configuration has one.
 */
export class EdgeSender implements Service {
  readonly #options: EdgeSenderOptions;
  readonly #turns: Turns;
  readonly #key: string;
  readonly #complained = new Set<string>();
  /** Those that have ever answered. */
  readonly #seen = new Set<string>();
  #stopped = false;

  constructor(options: EdgeSenderOptions) {
    this.#options = options;
    const { clock, log, root, everyMs = 2000 } = options;
    this.#key = `${root}/edge/state`;
    this.#turns = new Turns({
      clock,
      everyMs,
      turn: () => this.#turn(),
      onError: (err) =>
        log.error(
          { err, problemId: runtimeProblems.defect.id },
          "delivering to the edge failed; tried again",
        ),
    });
  }

  start(): Promise<void> {
    this.#turns.start();
    return Promise.resolve();
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#turns.stop();
    await this.#turns.ended();
  }

  async #turn(): Promise<void> {
    const { client, root } = this.#options;
    const lease = this.#options.lease();
    if (lease === undefined) return;
    const turn = `${root}/edge/turn`;
    const got = await client.transact({
      when: [{ key: turn, is: "absent" }],
      run: [{ do: "put", key: turn, value: "", lease }],
      otherwise: [{ do: "get", range: { key: turn } }],
    });
    if (got.kind !== "done" || (!got.held && got.found[0]?.[0]?.lease !== lease)) return;
    const content = await this.#content();
    if (content === undefined) return;
    // Addresses that nobody has yet do not hold up the others.
    const looked = await Promise.all(
      this.#options.edges.map(async (edge) => ({ edge, text: await look(edge) })),
    );
    for (const { edge, text } of looked) {
      if (this.#stopped) return;
      await this.#deliver(edge, text, content);
    }
  }

  /** What is to be delivered, numbered by all senders alike. */
  async #content(): Promise<{ state: EdgeState; sharedConfig: string; pools: string } | undefined> {
    const { client, root, plan, pool } = this.#options;
    const [members, config, own] = await Promise.all([
      client.range({ prefix: membersPrefix(root) }),
      client.range({ key: configKeys(root).current }),
      client.range({ key: this.#key }),
    ]);
    if (members.kind !== "found" || config.kind !== "found" || own.kind !== "found") return undefined;
    const [entry] = own.entries;
    const before = entry === undefined ? undefined : parseJson(entry.value, stateSchema);
    if (entry !== undefined && before === undefined) return undefined; // of a later release: not ours to overwrite
    const state = before ?? {
      ...{ version: 1 as const, number: 0, digest: "" },
      ...{ secret: newJoinToken(), flowTokenKey: randomBytes(32).toString("hex") },
    };
    // Management addresses are none of the DMZ's business: it has no way there.
    const records = members.entries
      .flatMap(({ key, value }) => readMember(root, key, value) ?? [])
      .map(({ management: _, ...record }) => record);
    const pools = JSON.stringify(poolsDocument(plan, records, undefined));
    const document = parseJson(config.entries[0]?.value ?? "", configDocumentSchema);
    const told = readSettings(document?.text ?? "");
    const settings = new Map(
      [...(told.kind === "settings" ? told.settings : [])].filter(([key]) =>
        document?.readers.some((one) => one.key === key && one.pools.includes(pool)),
      ),
    );
    if (!settings.has("home_domain")) settings.set("home_domain", plan.domain);
    if (!settings.has("flow_token_key")) settings.set("flow_token_key", state.flowTokenKey);
    const sharedConfig = writeSettings(settings);
    const digest = createHash("sha256").update(pools).update("\n").update(sharedConfig).digest("hex");
    if (digest === state.digest) return { state, sharedConfig, pools };
    const next = { ...state, number: state.number + 1, digest };
    const result = await client.transact({
      when: [
        entry === undefined
          ? { key: this.#key, is: "absent" }
          : { key: this.#key, is: "at", revision: entry.revision },
      ],
      run: [{ do: "put", key: this.#key, value: JSON.stringify(next) }],
    });
    return result.kind === "done" && result.held ? { state: next, sharedConfig, pools } : undefined;
  }

  async #deliver(
    edge: string,
    looked: string,
    { state, sharedConfig, pools }: { state: EdgeState; sharedConfig: string; pools: string },
  ): Promise<void> {
    const { log } = this.#options;
    const complain = (problem: string): void => {
      if (!this.#complained.has(edge))
        log.warn(
          { edge, problem, problemId: etcdClusterProblems.edgeUntold.id },
          "an edge node cannot be told; tried again",
        );
      this.#complained.add(edge);
    };
    const described = parseJson(looked, describedSchema);
    if (described === undefined) {
      // Nobody was there before: an address that is kept for a node to come.
      if (this.#seen.has(edge)) complain(looked.slice(0, 200));
      return;
    }
    this.#seen.add(edge);
    const { name, number, token } = described;
    if (number === state.number) return;
    const secret = token === undefined ? state.secret : await this.#tokenOf(token, name);
    if (secret === undefined) return complain("its join token is unknown, used up or expired");
    const bundle = { version: 1 as const, number: state.number, secret: state.secret, sharedConfig, pools };
    const sealed = sealBundle(secret, name, bundle);
    const answer = await ask(`${edge}/edge`, {
      method: "POST",
      body: sealed,
      signal: AbortSignal.timeout(TAKE_MS),
    });
    const taken = parseJson(answer, z.object({ taken: z.string() }))?.taken;
    if (taken === undefined || unseal(state.secret, `taken by ${name}`, taken) !== String(state.number))
      return complain(answer.slice(0, 200));
    this.#complained.delete(edge);
    log.info({ edge, name, number: state.number }, "edge node told");
  }

  async #tokenOf(id: string, name: string): Promise<string | undefined> {
    const { client, clock, root } = this.#options;
    const ledger = etcdLedger(client, root, ["edge", "machine"]);
    const token = await ledger.find(id, clock.now());
    if (typeof token !== "string") return undefined;
    return (await ledger.take(id, `edge ${name}`, clock.now())) === true ? token : undefined;
  }
}

function look(edge: string): Promise<string> {
  return ask(`${edge}/edge`, { signal: AbortSignal.timeout(LOOK_MS) });
}

/** The answer, or why there is none. */
async function ask(url: string, init: RequestInit): Promise<string> {
  try {
    return await (await fetch(url, init)).text();
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    return cause?.code ?? message;
  }
}
