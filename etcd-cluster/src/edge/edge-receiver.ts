import { readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, type Logger, parsePoolsFile, replaceFile, type Service } from "@ims/runtime";
import { readSettings } from "../config-manager/settings.ts";
import { tokenId } from "../enrolment/join-token.ts";
import { etcdClusterProblems } from "../problems.ts";
import { MAX_SEALED, openBundle, seal } from "./bundle.ts";

export interface EdgeReceiverOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the member of this machine: bono-1. */
  readonly name: string;
  /** Its address on Mw. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly files: {
    /** One-time: is removed after the first bundle. */
    readonly joinToken: string;
    /** Seals all bundles after the first; with their last number. Mode 0600. */
    readonly state: string;
    readonly sharedConfig: string;
    readonly pools: string;
  };
  /** The shared_config of a node that runs has changed; resolves when it works with it, rejects when it does not. */
  readonly restart: () => Promise<void>;
}

interface State {
  readonly secret: string;
  readonly number: number;
}

const WITHIN_MS = 10_000;

/**
 * Takes what a node in the DMZ has to know from the core, which connects to it: pools and shared configuration, the key of the flow
 * tokens included. It asks nobody. Bundles are sealed: the first by a one-time join token, the others by what the first one brought.
 */
export class EdgeReceiver implements Service {
  readonly #options: EdgeReceiverOptions;
  readonly #server: Server;
  #taking: Promise<unknown> = Promise.resolve();

  constructor(options: EdgeReceiverOptions) {
    this.#options = options;
    this.#server = createServer(
      { requestTimeout: WITHIN_MS, headersTimeout: WITHIN_MS },
      (request, response) => {
        this.#answer(request)
          .catch((err: unknown) => {
            options.log.error(
              { err, problemId: etcdClusterProblems.fileUnwritten.id },
              "a bundle cannot be taken up",
            );
            return { status: 503, body: { problem: "cannot be taken up: the log of this machine says why" } };
          })
          .then(({ status, body }) => {
            response.writeHead(status, { "content-type": "application/json", connection: "close" });
            response.end(JSON.stringify(body));
          })
          .catch(() => response.destroy());
      },
    );
    this.#server.maxConnections = 16;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  start(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, resolve);
    });
  }

  quiesce(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    if (this.#server.listening) {
      this.#server.closeAllConnections();
      await new Promise((resolve) => this.#server.close(resolve));
    }
    await this.#taking;
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    if (request.url !== "/edge") return { status: 404, body: { problem: "GET or POST /edge" } };
    if (request.method === "GET") return { status: 200, body: await this.#describe() };
    if (request.method !== "POST") return { status: 405, body: { problem: "GET or POST" } };
    const text = await bodyOf(request);
    if (text === undefined) return { status: 413, body: { problem: "too long" } };
    const taken = this.#taking.then(() => this.#take(text));
    this.#taking = taken.catch(() => undefined);
    return taken;
  }

  /** What seals the next bundle: the name of a token, which does not tell it, or the number of the last bundle. */
  async #describe(): Promise<object> {
    const { name, files } = this.#options;
    const state = await readState(files.state);
    if (state !== undefined) return { version: 1, name, number: state.number };
    const token = await textOf(files.joinToken);
    return { version: 1, name, number: 0, ...(token === undefined ? {} : { token: tokenId(token.trim()) }) };
  }

  async #take(sealed: string): Promise<{ status: number; body: object }> {
    const { name, files, log, restart } = this.#options;
    const state = await readState(files.state);
    const secret = state?.secret ?? (await textOf(files.joinToken))?.trim();
    const bundle = secret === undefined ? undefined : openBundle(secret, name, sealed);
    if (bundle === undefined) return { status: 403, body: { problem: "sealed by somebody we do not know" } };
    if (bundle.number < (state?.number ?? 0))
      return { status: 409, body: { problem: "older than the last one" } };
    const read = readSettings(bundle.sharedConfig);
    const pools = parsePoolsFile(bundle.pools);
    if (read.kind !== "settings" || pools.kind !== "pools")
      return { status: 422, body: { problem: "the core sends what no node could read" } };
    const before = await textOf(files.sharedConfig);
    await replaceFile(files.pools, bundle.pools);
    await replaceFile(files.sharedConfig, bundle.sharedConfig, 0o640);
    // Only what is in force counts as taken: a restart that fails is tried again with the next delivery.
    if (before !== undefined && body(before) !== body(bundle.sharedConfig)) await restart();
    const next: State = { secret: bundle.secret, number: bundle.number };
    await replaceFile(files.state, `${JSON.stringify(next)}\n`, 0o600);
    await rm(files.joinToken, { force: true });
    log.info({ number: bundle.number }, "pools and configuration taken from the core");
    return { status: 200, body: { taken: seal(bundle.secret, `taken by ${name}`, String(bundle.number)) } };
  }
}

/** Without the lines that only number it. */
function body(text: string): string {
  return text.replace(/^#.*\n/gm, "");
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

async function readState(path: string): Promise<State | undefined> {
  const text = await textOf(path);
  if (text === undefined) return undefined;
  const { secret, number } = JSON.parse(text) as Partial<State>;
  if (typeof secret !== "string" || typeof number !== "number") throw new TypeError(`${path} is damaged`);
  return { secret, number };
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_SEALED) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("latin1");
}
