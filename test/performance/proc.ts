import { readdirSync, readFileSync } from "node:fs";

// sysconf(_SC_CLK_TCK) of every Linux that Node runs on.
const TICKS_PER_SECOND = 100;

/** CPU seconds, user and system together, of a process and everything below it. Children that ended count with their parent. */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const one of processTree(pid)) {
    const fields = statFields(one);
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    ticks += Number(fields[13] ?? 0) + Number(fields[14] ?? 0);
  }
  return ticks / TICKS_PER_SECOND;
}

export type Memory = { readonly rssKb: number; readonly pssKb: number };

/** Resident and proportional memory of a process and everything below it; shared pages count once in PSS. */
export function memoryOf(pid: number): Memory {
  let rssKb = 0;
  let pssKb = 0;
  for (const one of processTree(pid)) {
    const text = readOrEmpty(`/proc/${one}/smaps_rollup`);
    rssKb += Number(/^Rss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
    pssKb += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  }
  return { rssKb, pssKb };
}

/** CPU seconds that all of the machine has spent on anything but idling. */
export function machineBusySeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (
    readOrEmpty("/proc/stat").split("\n")[0] ?? ""
  )
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

/** Datagrams that sockets of this network namespace had no room for, since it began: of all, and of those bound to an IPv4 address and port. */
export function droppedDatagrams(address?: string, port = 0): number {
  if (address === undefined) {
    const [names = [], values = []] = readOrEmpty("/proc/net/snmp")
      .split("\n")
      .filter((line) => line.startsWith("Udp:"))
      .map((line) => line.split(" "));
    return Number(values[names.indexOf("RcvbufErrors")] ?? 0);
  }
  const octets = address.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"));
  const local = `${octets.reverse().join("")}:${port.toString(16).padStart(4, "0")}`.toUpperCase();
  let drops = 0;
  for (const line of readOrEmpty("/proc/net/udp").split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[1] === local) drops += Number(fields.at(-1) ?? 0);
  }
  return drops;
}

function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(Number(name))[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Fields of /proc/PID/stat after the program's name: state, parent, ... */
function statFields(pid: number): string[] {
  const text = readOrEmpty(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process ended in between
  }
}
