import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CoreUnderTest } from "./core-under-test.ts";

/** False when a media gateway can be started here, else why not. */
export const noRtpengine: string | false =
  spawnSync("rtpengine", ["--version"]).error === undefined
    ? false
    : "rtpengine is not installed (scripts/install-test-tools)";

/** That of `tidewater up --media-gateway`. */
export class RtpengineOfLab {
  readonly #core: CoreUnderTest;

  constructor(core: CoreUnderTest) {
    this.#core = core;
  }

  get pid(): number {
    return Number(readFileSync(join(this.#core.stateDir, "rtpengine.pid"), "utf8"));
  }

  /** Its sessions, by its own account. */
  sessions(): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      const socket = createSocket("udp4");
      const timer = setTimeout(() => {
        socket.close();
        reject(new Error("rtpengine does not answer"));
      }, 5_000);
      socket.on("error", reject);
      socket.on("message", (octets) => {
        clearTimeout(timer);
        socket.close();
        const [, list = ""] = /^\S+ d5:callsl(.*)e6:result2:oke$/s.exec(octets.toString("latin1")) ?? [];
        resolve(list.split(/[0-9]+:/).filter((key) => key !== ""));
      });
      socket.connect(2223, this.#core.host, () => socket.send(`${randomUUID()} d7:command4:liste`));
    });
  }

  /** Waits until that many are left; says which are when they do not become as many. */
  async untilSessions(count: number, withinMs = 5_000): Promise<void> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const sessions = await this.sessions();
      if (sessions.length === count) return;
      if (Date.now() > deadline)
        throw new Error(`not ${count} sessions within ${withinMs} ms: ${sessions.join(", ")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
