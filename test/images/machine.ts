import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface MachineRequest {
  readonly folder: string;
  readonly name: string;
  readonly image: string;
  readonly drive: string;
  readonly mac: string;
  readonly bridge: string;
  /** UEFI firmware; default: BIOS. */
  readonly firmware?: string;
  /** A second disk, raw, and the identifier that the cloud gives it. */
  readonly volume?: { readonly file: string; readonly id: string };
}

/** A virtual machine without KVM, on a disk of its own over the image. */
export class Machine {
  readonly console: string;
  readonly started = performance.now();
  readonly #child: ChildProcess;
  readonly #tap: string;
  readonly #name: string;
  #said = "";

  constructor(request: MachineRequest) {
    const { folder, name, image, drive, mac, bridge, firmware, volume } = request;
    this.#name = name;
    this.console = join(folder, `${name}.console`);
    const disk = join(folder, `${name}.qcow2`);
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", disk, "4G"]);
    const tap = `tap-${name}`.slice(0, 15);
    this.#tap = tap;
    for (const args of [
      ["tuntap", "add", "dev", tap, "mode", "tap"],
      ["link", "set", tap, "master", bridge],
      ["link", "set", tap, "up"],
    ])
      execFileSync("ip", args);
    this.#child = spawn(
      "qemu-system-x86_64",
      [
        ...[
          "-machine",
          "q35,accel=tcg",
          "-cpu",
          "max",
          "-smp",
          "2",
          "-m",
          "768",
          "-nodefaults",
          "-no-reboot",
        ],
        ...["-display", "none", "-serial", `file:${this.console}`],
        ...(firmware === undefined ? [] : ["-bios", firmware]),
        ...["-drive", `file=${disk},if=none,id=root,cache=unsafe`],
        ...["-device", "virtio-blk-pci,drive=root,bootindex=1"],
        ...["-drive", `file=${drive},if=virtio,format=raw,readonly=on`],
        ...(volume === undefined
          ? []
          : [
              ...["-drive", `file=${volume.file},if=none,id=volume,format=raw,cache=unsafe`],
              // Nova gives virtio so much of the identifier.
              ...["-device", `virtio-blk-pci,drive=volume,serial=${volume.id.slice(0, 20)}`],
            ]),
        ...["-netdev", `tap,id=net,ifname=${tap},script=no,downscript=no`],
        ...["-device", `virtio-net-pci,netdev=net,mac=${mac},romfile=`, "-device", "virtio-rng-pci"],
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
  }

  /** Lines of our own on the console so far. */
  lines(): string[] {
    if (!existsSync(this.console)) return [];
    return readFileSync(this.console, "latin1")
      .split(/\r?\n/)
      .filter((line) => line.includes("tidewater: "))
      .map((line) => line.slice(line.indexOf("tidewater: ")));
  }

  /** Seconds until a line of our own has `text`. @throws Error with the end of the console */
  async says(text: string, withinSeconds: number): Promise<number> {
    const deadline = this.started + withinSeconds * 1000;
    for (;;) {
      if (this.lines().some((line) => line.includes(text))) return (performance.now() - this.started) / 1000;
      const ended = this.#child.exitCode !== null || this.#child.signalCode !== null;
      const other = this.lines().find((line) => line.includes("NOT ready"));
      const late = performance.now() > deadline;
      if (ended || late || other !== undefined)
        throw new Error(
          `${this.#name} ${ended ? "ended" : late ? `did not say '${text}' within ${withinSeconds} s` : "gave up"}; its console ends with:\n${this.#end()}\n${this.#said}`,
        );
      await sleep(250);
    }
  }

  #end(): string {
    if (!existsSync(this.console)) return "(nothing)";
    return readFileSync(this.console, "latin1").split(/\r?\n/).slice(-40).join("\n");
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.kill("SIGKILL");
    await gone;
    // The next machine of this name makes it anew.
    execFileSync("ip", ["link", "del", this.#tap]);
  }
}
