import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { load } from "js-yaml";
import { readReadySignal, sendSignal } from "../../images/member/signal.ts";
import type { Json, OpenStack } from "./lab/open-stack.ts";

interface WrittenFile {
  readonly path: string;
  readonly content: string;
  readonly permissions: string;
}

/** The files that cloud-init would write from user data. */
export function filesOf(userData: string): Map<string, WrittenFile> {
  const config = load(Buffer.from(userData, "base64").toString("utf8")) as { write_files: WrittenFile[] };
  return new Map(config.write_files.map((file) => [file.path, file]));
}

/**
 * Does for the servers, which boot nothing, what the image does on a member's first boot: reads its user data, and says
 * with the program of the image and what it finds there that it is ready.
 */
export class FirstBootAgent {
  /** Files of the servers that have signalled, by server. */
  readonly booted = new Map<string, ReadonlyMap<string, WrittenFile>>();
  readonly #admin: OpenStack;
  readonly #project: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "first-boot-"));
  readonly #ended = new AbortController();
  readonly #loop: Promise<void>;

  constructor(admin: OpenStack, project: string) {
    this.#admin = admin;
    this.#project = project;
    this.#loop = this.#run();
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await this.#loop;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      try {
        // The short list: the long one costs Nova a look at every port.
        const path = `/servers?all_tenants=true&status=ACTIVE&project_id=${this.#project}`;
        const list = (await this.#admin.get("compute", path))["servers"] as unknown as Json[];
        const news = list.map((server) => String(server["id"])).filter((id) => !this.booted.has(id));
        for (const id of news) await this.#boot(id);
      } catch (error) {
        process.stderr.write(`first boot: ${String(error)}\n`);
      }
      await delay(1500);
    }
  }

  async #boot(id: string): Promise<void> {
    const server = (await this.#admin.get("compute", `/servers/${id}`))["server"] as Json;
    const files = filesOf(String(server["OS-EXT-SRV-ATTR:user_data"]));
    const path = join(this.#folder, id);
    writeFileSync(path, files.get("/etc/tidewater/ready-signal.json")?.content ?? "", { mode: 0o600 });
    const read = readReadySignal(path);
    if (read.kind === "invalid") throw new Error(read.problem);
    if (read.kind === "signal") {
      const what = { status: "SUCCESS", reason: "ready", id: String(server["name"]) } as const;
      const problem = await sendSignal(read.signal, what, { tries: 1 });
      // It is tried again: a server may be there before its handle is.
      if (problem !== undefined) throw new Error(`${String(server["name"])}: ${problem}`);
    }
    this.booted.set(id, files);
  }
}
