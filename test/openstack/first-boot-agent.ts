import { setTimeout as delay } from "node:timers/promises";
import { load } from "js-yaml";
import type { Json, OpenStack } from "./lab/open-stack.ts";

/** A server as an administrator sees it. */
export interface SeenServer {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly host: string | undefined;
  readonly image: string;
  readonly userData: string;
  readonly metadata: Readonly<Record<string, string>>;
}

interface WrittenFile {
  readonly path: string;
  readonly content: string;
  readonly permissions: string;
}

/** Every server of a project, as Nova has it this moment. */
export async function serversOf(admin: OpenStack, project: string): Promise<SeenServer[]> {
  const path = `/servers/detail?all_tenants=true&project_id=${project}`;
  const list = (await admin.get("compute", path))["servers"] as unknown;
  return (list as Json[]).map((server) => ({
    id: String(server["id"]),
    name: String(server["name"]),
    status: String(server["status"]),
    host: (server["OS-EXT-SRV-ATTR:host"] as unknown as string | null) ?? undefined,
    image: String((server["image"] as Json | undefined)?.["id"] ?? ""),
    userData: String(server["OS-EXT-SRV-ATTR:user_data"] ?? ""),
    metadata: server["metadata"] as unknown as Readonly<Record<string, string>>,
  }));
}

/** The files that cloud-init would write from user data. */
export function filesOf({ userData }: Pick<SeenServer, "userData">): Map<string, WrittenFile> {
  const config = load(Buffer.from(userData, "base64").toString("utf8")) as { write_files: WrittenFile[] };
  return new Map(config.write_files.map((file) => [file.path, file]));
}

/**
 * Does for the servers, which boot nothing, what a member does on its first boot: reads its user data, and says that it is
 * ready with what it finds there. `answers` are the statuses it got, by server.
 */
export class FirstBootAgent {
  readonly answers = new Map<string, number>();
  readonly #admin: OpenStack;
  readonly #project: string;
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
  }

  async #run(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const servers = await serversOf(this.#admin, this.#project).catch(() => []);
      for (const server of servers)
        if (server.status === "ACTIVE" && !this.answers.has(server.id))
          await this.#boot(server).catch((error: unknown) =>
            process.stderr.write(`first boot of ${server.name}: ${String(error)}\n`),
          );
      await delay(1000);
    }
  }

  async #boot(server: SeenServer): Promise<void> {
    const signal = filesOf(server).get("/etc/tidewater/ready-signal.json");
    if (signal === undefined) return;
    const { alarm_url } = JSON.parse(signal.content) as { alarm_url?: string };
    if (alarm_url === undefined) return;
    const response = await fetch(alarm_url, {
      // What the URL was signed for: Heat takes nothing else of a wait condition.
      method: alarm_url.includes("/v1/waitcondition/") ? "PUT" : "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ status: "SUCCESS", reason: "ready", id: server.name, data: server.host ?? "" }),
    });
    await response.text();
    // Anything but success is tried again: the server may be known before its handle is.
    if (response.ok) this.answers.set(server.id, response.status);
    else process.stderr.write(`first boot of ${server.name}: ${response.status}\n`);
  }
}
