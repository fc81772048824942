import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

export type Element = "pcscf" | "icscf" | "scscf";

export interface KamailioOptions {
  readonly domain: string;
  /** First three octets of the loopback addresses: the P-CSCF is .2, the I-CSCF .3, the S-CSCF .4. */
  readonly network: string;
  readonly elements: readonly Element[];
  readonly hss: { readonly host: string; readonly port: number };
  /** The S-CSCF that the I-CSCF chooses; default: Kamailio's. */
  readonly scscfUri?: string;
  /** SIP over TCP too, and between the CSCFs. */
  readonly tcp?: boolean;
}

export interface Kamailio {
  /** host:port */
  readonly addresses: Readonly<Record<Element, string>>;
  /** What an element has written. */
  log(element: Element): string;
}

const PORTS: Readonly<Record<Element, number>> = { pcscf: 5060, icscf: 4060, scscf: 6060 };
const HOSTS: Readonly<Record<Element, number>> = { pcscf: 2, icscf: 3, scscf: 4 };
const TEMPLATES = join(import.meta.dirname, "../performance/peer-kamailio");
const MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib/aarch64-linux-gnu/kamailio/modules/";

/** Why Kamailio's CSCFs cannot run here; undefined: they can. */
export function whyNot(): string | undefined {
  const version = spawnSync("kamailio", ["-v"], { encoding: "utf8" });
  if (version.status === 0) return undefined;
  return "Kamailio is not installed (scripts/install-test-tools)";
}

/** Starts CSCFs of Kamailio's with the configuration that the bench measures them by; they are ended with the test. */
export async function startKamailio(t: TestContext, options: KamailioOptions): Promise<Kamailio> {
  const directory = mkdtempSync(join(tmpdir(), "kamailio-"));
  const host = (element: Element): string => `${options.network}.${HOSTS[element]}`;
  const addresses = Object.fromEntries(
    (["pcscf", "icscf", "scscf"] as const).map((one) => [one, `${host(one)}:${PORTS[one]}`]),
  ) as Record<Element, string>;
  const scscfUri = `sip:${addresses.scscf}${options.tcp === true ? ";transport=tcp" : ""}`;
  writeCapabilities(join(directory, "icscf_db"), options.scscfUri ?? scscfUri);
  const children: ChildProcess[] = [];
  t.after(async () => {
    await Promise.all(children.map(stop));
    rmSync(directory, { recursive: true, force: true });
  });
  const log = (element: Element): string => readFileSync(join(directory, `${element}.log`), "utf8");
  for (const element of options.elements) {
    const names = namesFor(element, options, { directory, addresses });
    writeFileSync(join(directory, `${element}.cfg`), fill(`${element}.cfg`, names));
    writeFileSync(join(directory, `${element}.xml`), fill("diameter.xml", names));
    children.push(start(directory, element));
  }
  for (const [index, element] of options.elements.entries())
    for (const deadline = performance.now() + 15_000; !(await answers(host(element), PORTS[element])); ) {
      const child = children[index];
      if (child?.exitCode !== null || performance.now() > deadline)
        throw new Error(`Kamailio's ${element} did not come up:\n${log(element).slice(-2000)}`);
      await delay(50);
    }
  return { addresses, log };
}

function namesFor(
  element: Element,
  { domain, hss, network, tcp }: KamailioOptions,
  { directory, addresses }: { readonly directory: string; readonly addresses: Record<Element, string> },
): ReadonlyMap<string, string> {
  return new Map([
    ["DOMAIN", domain],
    ["RUN", directory],
    ["MODULES", MODULES],
    ["WORKERS", "1"],
    ["PCSCF", addresses.pcscf],
    ["PCSCF_HOST", `${network}.${HOSTS.pcscf}`],
    ["ICSCF", addresses.icscf],
    ["SCSCF", addresses.scscf],
    ["HSS_HOST", hss.host],
    ["HSS_PORT", String(hss.port)],
    ["TRANSPORT", tcp === true ? ";transport=tcp" : ""],
    ["TRACK", "setflag(2);"],
    ["TCP", tcp === true ? `tcp_children=1\nlisten=tcp:${addresses[element]}` : "disable_tcp=yes"],
    ["NAME", element],
    // A comment of the template speaks of them.
    ["NAMES", "NAMES"],
  ]);
}

function fill(template: string, names: ReadonlyMap<string, string>): string {
  return readFileSync(join(TEMPLATES, template), "utf8").replaceAll(/@([A-Z_]+)@/g, (whole, name: string) => {
    const value = names.get(name);
    if (value === undefined) throw new Error(`${template}: nothing to fill in for ${whole}`);
    return value;
  });
}

/** The I-CSCF reads the S-CSCFs it may choose from a database; db_text is the one without a server. */
function writeCapabilities(directory: string, scscf: string): void {
  mkdirSync(directory, { recursive: true });
  const rows: Readonly<Record<string, string>> = {
    version: "table_name(str) table_version(int)\ns_cscf:6\ns_cscf_capabilities:6\nnds_trusted_domains:1\n",
    s_cscf: `id(int) name(str) s_cscf_uri(str)\n1:first:${scscf.replaceAll(":", "\\:")}\n`,
    s_cscf_capabilities: "id(int) id_s_cscf(int) capability(int)\n1:1:0\n2:1:1\n",
    nds_trusted_domains: "id(int) trusted_domain(str)\n",
  };
  for (const [name, text] of Object.entries(rows)) writeFileSync(join(directory, name), text);
}

function start(directory: string, element: Element): ChildProcess {
  const log = openSync(join(directory, `${element}.log`), "w");
  // The S-CSCF locks up with tlsf now and then.
  const allocator = element === "scscf" ? "fm" : "tlsf";
  const memory = ["-m", "64", "-M", "8", "-x", allocator, "-X", allocator];
  const files = ["-f", join(directory, `${element}.cfg`), "-w", directory, "-Y", directory];
  // A process group of its own, so that all of its processes, and only those, can be ended.
  return spawn("kamailio", ["-DD", "-E", ...files, ...memory], {
    detached: true,
    stdio: ["ignore", log, log],
  });
}

/** TERM, and KILL to the whole group of the child after 5 s. */
async function stop(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => killGroup(pid), 5_000);
  await gone;
  clearTimeout(timer);
  killGroup(pid);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // already gone
  }
}

/** Does it answer OPTIONS? */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    const done = (answered: boolean): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answered);
    };
    const timer = setTimeout(() => done(false), 300);
    socket.on("message", () => done(true));
    socket.on("error", () => done(false));
    socket.bind(0, "127.0.0.1", () => {
      const own = `127.0.0.1:${socket.address().port}`;
      const lines = [
        `OPTIONS sip:${host}:${port} SIP/2.0`,
        `Via: SIP/2.0/UDP ${own};branch=z9hG4bK${own.replaceAll(/\W/g, "")}`,
        "Max-Forwards: 70",
        `From: <sip:probe@${own}>;tag=1`,
        `To: <sip:${host}:${port}>`,
        `Call-ID: ${own}`,
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
      ];
      socket.send(`${lines.join("\r\n")}\r\n\r\n`, port, host);
    });
  });
}
