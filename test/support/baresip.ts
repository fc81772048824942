import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { freePort } from "@ims/runtime/testing";

export interface BaresipOptions {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly proxy: string;
  readonly transport: "udp" | "tcp" | "tls";
  /** Frequency of the tone it sends. */
  readonly toneHz: number;
  readonly address: string;
  readonly answer: "auto" | "manual";
}

interface BaresipEvent {
  readonly event?: boolean;
  readonly type?: string;
  readonly param?: string;
}

/** Is the program there? */
export function hasBaresip(): boolean {
  return spawnSync("baresip", ["-h"], { stdio: "ignore" }).error === undefined;
}

/** A baresip UE without sound card: sends a tone, records what it hears, controlled over its TCP module. */
export class Baresip {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #events: BaresipEvent[] = [];
  readonly #waiting: (() => void)[] = [];
  #control: Socket | undefined;
  #output = "";

  private constructor(child: ChildProcess, dir: string) {
    this.#child = child;
    this.#dir = dir;
    child.once("exit", () => this.#wake());
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-50_000);
      });
  }

  static async start(t: TestContext, options: BaresipOptions): Promise<Baresip> {
    const dir = mkdtempSync(join(tmpdir(), "tidewater-baresip-"));
    const controlPort = await freePort();
    writeFileSync(join(dir, "config"), configOf(options, dir, controlPort));
    writeFileSync(join(dir, "accounts"), accountOf(options));
    writeFileSync(join(dir, "contacts"), "");
    mkdirSync(join(dir, "dump"));
    const child = spawn("baresip", ["-f", dir, "-s", "-v"], { stdio: ["ignore", "pipe", "pipe"] });
    const ue = new Baresip(child, dir);
    t.after(() => ue.stop());
    await ue.#connect(controlPort);
    return ue;
  }

  /** Resolves with the first event of that type not taken before. */
  async expect(type: string, timeoutMs = 15_000): Promise<BaresipEvent> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const index = this.#events.findIndex((event) => event.type === type);
      if (index >= 0) return this.#events.splice(index, 1)[0] ?? {};
      const seen = this.#events.map((event) => `${event.type}(${event.param ?? ""})`).join(" ");
      if (this.#ended) throw new Error(`baresip ended, no ${type}; seen ${seen}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`baresip: no ${type} within ${timeoutMs} ms; seen ${seen}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The UE is registered; its event may have come before the control connection. */
  async registered(): Promise<void> {
    const seen = (): boolean => /\} 200 OK .*binding/.test(this.#output);
    for (let attempt = 0; attempt < 300 && !seen() && !this.#ended; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    if (!seen()) throw new Error("baresip did not register");
  }

  /** What it printed, SIP trace included. */
  output(): string {
    return stripVTControlCharacters(this.#output).replaceAll("\r", "");
  }

  command(command: string, params = ""): void {
    const json = JSON.stringify({ command, params, token: "t" });
    this.#control?.write(`${Buffer.byteLength(json)}:${json},`);
  }

  /** Frequency in Hz of what was heard last, by zero crossings over the last two seconds; 0 for silence. */
  heardHz(): number {
    const file = readdirSync(join(this.#dir, "dump"))
      .filter((name) => name.endsWith("dec.wav"))
      .sort()
      .at(-1);
    return file === undefined ? 0 : frequencyOf(readFileSync(join(this.#dir, "dump", file)));
  }

  /** Ends it; it deregisters first when the core is still there. */
  async stop(): Promise<void> {
    this.#control?.destroy();
    if (!this.#ended)
      await new Promise<void>((resolve) => {
        const hard = setTimeout(() => this.#child.kill("SIGKILL"), 3000);
        this.#child.once("exit", () => {
          clearTimeout(hard);
          resolve();
        });
        this.#child.kill("SIGTERM");
      });
    rmSync(this.#dir, { recursive: true, force: true });
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #connect(port: number): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt++) {
      const socket = await new Promise<Socket | undefined>((resolve) => {
        const trying = connect(port, "127.0.0.1", () => resolve(trying));
        trying.once("error", () => resolve(undefined));
      });
      if (socket !== undefined) {
        this.#control = socket;
        socket.on("error", () => undefined);
        let pending: Buffer = Buffer.alloc(0);
        socket.on("data", (chunk: Buffer) => {
          pending = Buffer.concat([pending, chunk]);
          pending = this.#readNetstrings(pending);
        });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`baresip did not start\n${this.#output}`);
  }

  #readNetstrings(pending: Buffer): Buffer {
    let rest = pending;
    for (;;) {
      const colon = rest.indexOf(0x3a);
      if (colon < 0) return rest;
      const length = Number(rest.subarray(0, colon).toString());
      if (rest.length < colon + 2 + length) return rest;
      const event = JSON.parse(rest.subarray(colon + 1, colon + 1 + length).toString()) as BaresipEvent;
      rest = rest.subarray(colon + 2 + length);
      if (event.event !== true) continue;
      this.#events.push(event);
      this.#wake();
    }
  }
}

/** ausine produces nothing but 48 kHz with two channels; baresip resamples to the codec's 8 kHz mono. */
function configOf(options: BaresipOptions, dir: string, controlPort: number): string {
  return `sip_listen ${options.address}:0
net_interface ${options.address}
call_local_timeout 30
audio_player aubridge,sink
audio_source ausine,${options.toneHz}
audio_alert aubridge,sink
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 2
auplay_channels 1
rtp_stats no
statmode_default off
module_path /usr/lib/baresip/modules
module g711.so
module ausine.so
module aubridge.so
module sndfile.so
snd_path ${join(dir, "dump")}
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:${controlPort}
`;
}

function accountOf({ user, domain, password, proxy, transport, answer }: BaresipOptions): string {
  return `<sip:${user}@${domain};transport=${transport}>;auth_user=${user}@${domain};auth_pass=${password};outbound="sip:${proxy};transport=${transport}";regint=600;answermode=${answer};audio_codecs=pcmu\n`;
}

/** Of a WAV of 16-bit samples as baresip's sndfile module writes it, first channel only. */
function frequencyOf(wav: Buffer): number {
  if (wav.length < 44) return 0;
  const rate = wav.readUInt32LE(24);
  const channels = wav.readUInt16LE(22);
  const data = wav.subarray(wav.indexOf("data") + 8);
  const samples: number[] = [];
  for (let at = 0; at + 2 * channels <= data.length; at += 2 * channels) samples.push(data.readInt16LE(at));
  const window = Math.min(rate, samples.length);
  const tail = samples.slice(-2 * window, -window / 4);
  const peak = tail.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
  if (peak < 500) return 0;
  let crossings = 0;
  for (let at = 1; at < tail.length; at++) if ((tail[at - 1] ?? 0) < 0 && (tail[at] ?? 0) >= 0) crossings++;
  return Math.round((crossings * rate) / tail.length);
}
