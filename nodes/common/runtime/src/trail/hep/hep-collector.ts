import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import type { Clock, Timer } from "../../clock.ts";

/** Where packets go. */
export interface HepAddress {
  readonly transport: "udp" | "tcp";
  readonly host: string;
  readonly port: number;
}

/** Why a packet did not go: nobody is there, or what is there takes too little. */
export type HepRefusal = "away" | "queue";

/** Takes packets while somebody takes them from it. */
export interface HepCollector {
  /** Never waits: what cannot go now does not go. A packet that fails later is told to `onLost`. */
  send(packet: Buffer): HepRefusal | undefined;
  stop(): void;
}

export interface HepCollectorModules {
  readonly clock: Pick<Clock, "setTimer">;
  onLost(refusal: HepRefusal): void;
  onState(state: "connected" | "away", reason: string): void;
}

/** Of what waits for the system to take it, bytes. */
const LONGEST_QUEUE = 1_048_576;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export function openHepCollector(address: HepAddress, modules: HepCollectorModules): HepCollector {
  return address.transport === "udp"
    ? new UdpCollector(address, modules)
    : new TcpCollector(address, modules);
}

/** Reads "udp:192.0.2.1:9060" and "tcp:[2001:db8::1]:9060"; undefined for anything else. */
export function hepAddressOf(text: string): HepAddress | undefined {
  const [, transport, bracketed, plain, digits] =
    /^(udp|tcp):(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = Number(digits);
  if ((transport !== "udp" && transport !== "tcp") || !(port >= 1 && port <= 65_535)) return undefined;
  return { transport, host, port };
}

/** Tries again, ever more slowly. */
class Retry {
  readonly #clock: Pick<Clock, "setTimer">;
  #pause = FIRST_PAUSE_MS;
  #timer: Timer | undefined;

  constructor(clock: Pick<Clock, "setTimer">) {
    this.#clock = clock;
  }

  later(act: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(this.#pause, act);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  reset(): void {
    this.#pause = FIRST_PAUSE_MS;
  }

  stop(): void {
    this.#timer?.cancel();
  }
}

class TcpCollector implements HepCollector {
  readonly #address: HepAddress;
  readonly #modules: HepCollectorModules;
  readonly #retry: Retry;
  #socket: Socket | undefined;
  #open = false;
  #stopped = false;

  constructor(address: HepAddress, modules: HepCollectorModules) {
    this.#address = address;
    this.#modules = modules;
    this.#retry = new Retry(modules.clock);
    this.#connect();
  }

  #connect(): void {
    const { host, port } = this.#address;
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 });
    this.#socket = socket;
    let reason = "the connection was closed";
    socket.once("connect", () => {
      this.#open = true;
      this.#retry.reset();
      this.#modules.onState("connected", "");
    });
    // Nothing is expected from a collector; what it says is thrown away.
    socket.resume();
    socket.on("error", (error) => {
      reason = error.message;
    });
    socket.once("close", () => {
      this.#open = false;
      if (this.#stopped) return;
      this.#modules.onState("away", reason);
      this.#retry.later(() => this.#connect());
    });
  }

  send(packet: Buffer): HepRefusal | undefined {
    if (!this.#open || this.#socket === undefined) return "away";
    if (this.#socket.writableLength + packet.length > LONGEST_QUEUE) return "queue";
    // What is written in one turn of the loop leaves in one system call.
    if (this.#socket.writableCorked === 0) {
      const socket = this.#socket;
      socket.cork();
      setImmediate(() => socket.uncork());
    }
    this.#socket.write(packet);
    return undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#retry.stop();
    this.#socket?.destroy();
  }
}

class UdpCollector implements HepCollector {
  readonly #address: HepAddress;
  readonly #modules: HepCollectorModules;
  readonly #retry: Retry;
  #socket: DatagramSocket | undefined;
  #stopped = false;

  constructor(address: HepAddress, modules: HepCollectorModules) {
    this.#address = address;
    this.#modules = modules;
    this.#retry = new Retry(modules.clock);
    void this.#open();
  }

  async #open(): Promise<void> {
    const { host, port } = this.#address;
    try {
      const { address, family } = await lookup(host);
      if (this.#stopped) return;
      const socket = createSocket(family === 6 ? "udp6" : "udp4");
      socket.on("error", () => this.#modules.onLost("away"));
      socket.connect(port, address, () => {
        if (this.#stopped) return void socket.close();
        this.#socket = socket;
        this.#modules.onState("connected", "");
      });
    } catch (error) {
      if (this.#stopped) return;
      this.#modules.onState("away", error instanceof Error ? error.message : String(error));
      this.#retry.later(() => void this.#open());
    }
  }

  send(packet: Buffer): HepRefusal | undefined {
    const socket = this.#socket;
    if (socket === undefined) return "away";
    if (socket.getSendQueueSize() + packet.length > LONGEST_QUEUE) return "queue";
    socket.send(packet, (error) => {
      if (error !== null) this.#modules.onLost("away");
    });
    return undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#retry.stop();
    this.#socket?.close();
    this.#socket = undefined;
  }
}
