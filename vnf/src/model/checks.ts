import type { z } from "zod";
import { formatShare, smallestPool } from "../placement/share.ts";
import type { networksFile, Port, portsFile, Vdu, vdusFile, zonesFile } from "./schemas.ts";
import type { Fault, Located } from "./yaml-file.ts";

/** The four files, each valid by itself. */
export interface ModelFiles {
  readonly vdus: Located<z.output<typeof vdusFile>>;
  readonly networks: Located<z.output<typeof networksFile>>;
  readonly zones: Located<z.output<typeof zonesFile>>;
  readonly ports: Located<z.output<typeof portsFile>>;
}

/** Networks and parties outside: each name once, since ports name processes and parties alike. */
export function checkNetworks({ networks }: ModelFiles): Fault[] {
  const known = new Set(networks.value.networks.map(({ name }) => name));
  return [
    ...twice(networks, "networks", networks.value.networks),
    ...twice(networks, "outside", networks.value.outside),
    ...networks.value.outside.flatMap((party, at) =>
      unknown(networks, ["outside", at, "networks"], party.networks, known, "network"),
    ),
  ];
}

/** Zones: known networks; what may be reached is in the table of ports. */
export function checkZones({ networks, zones, ports }: ModelFiles): Fault[] {
  const known = new Set(networks.value.networks.map(({ name }) => name));
  const faults = twice(zones, "zones", zones.value.zones);
  zones.value.zones.forEach((zone, at) => {
    faults.push(...unknown(zones, ["zones", at, "networks"], zone.networks, known, "network"));
    zone.reaches?.forEach((reached, index) => {
      const names = new Set(
        ports.value.ports.filter(({ process }) => process === reached.process).map(nameOf),
      );
      faults.push(
        ...unknown(
          zones,
          ["zones", at, "reaches", index, "ports"],
          reached.ports,
          names,
          `port of ${reached.process}`,
        ),
      );
    });
  });
  return faults;
}

/** VDUs: known zones and networks that belong together, sizes in order, a share that the usual size can keep. */
export function checkVdus({ vdus, networks, zones }: ModelFiles): Fault[] {
  const faults = twice(vdus, "vdus", vdus.value.vdus);
  const known = new Set(networks.value.networks.map(({ name }) => name));
  const outside = new Set(networks.value.outside.map(({ name }) => name));
  const zoneNames = new Set(zones.value.zones.map(({ name }) => name));
  vdus.value.vdus.forEach((vdu, at) => {
    const fault = (place: readonly (string | number)[], problem: string): void => {
      faults.push(vdus.fault(["vdus", at, ...place], problem));
    };
    faults.push(...unknown(vdus, ["vdus", at, "networks"], vdu.networks, known, "network"));
    faults.push(...unknown(vdus, ["vdus", at, "zone"], [vdu.zone], zoneNames, "zone"));
    const zone = zones.value.zones.find(({ name }) => name === vdu.zone);
    vdu.networks.forEach((network, index) => {
      if (zone?.networks.includes(network) === false && known.has(network))
        fault(["networks", index], `zone ${zone.name} has no network ${network}`);
    });
    vdu.processes.forEach((process, index) => {
      if (outside.has(process))
        fault(["processes", index], `${process} is the name of a party outside the VNF`);
      if (vdu.processes.indexOf(process) < index) fault(["processes", index], `${process} is here twice`);
    });
    const { min, default: usual, max } = vdu.pool;
    if (min > usual) fault(["pool", "default"], `${usual} is below min, ${min}`);
    if (usual > max) fault(["pool", "max"], `${max} is below default, ${usual}`);
    const least = smallestPool(vdu.tolerated.share);
    if (usual > 0 && usual < least)
      fault(
        ["pool", "default"],
        `a share of ${formatShare(vdu.tolerated.share)} needs a pool of ${least}, not ${usual}`,
      );
  });
  return faults;
}

/** Ports: processes that exist, on networks that both sides are on, each number once, nothing out of a zone but what it reaches. */
export function checkPorts({ vdus, networks, zones, ports }: ModelFiles): Fault[] {
  const faults: Fault[] = [];
  const running = (process: string): Vdu[] =>
    vdus.value.vdus.filter((vdu) => vdu.processes.includes(process));
  const outside = new Map(networks.value.outside.map((party) => [party.name, party]));
  const isOn = (who: string, network: string): boolean =>
    running(who).some((vdu) => vdu.networks.includes(network)) ||
    outside.get(who)?.networks.includes(network) === true;
  const names = new Map<string, number>();
  const numbers: { machine: string; first: number; last: number; full: string }[] = [];
  for (const [at, port] of ports.value.ports.entries()) {
    const fault = (place: readonly (string | number)[], problem: string): void => {
      faults.push(ports.fault(["ports", at, ...place], problem));
    };
    const full = `${port.process}/${port.name}`;
    if (names.has(full)) fault(["name"], `${full} is here twice`);
    names.set(full, at);
    const servers = running(port.process);
    if (port.reserved) {
      if (port.from.length > 0) fault(["from"], "a reserved port is open to nobody: leave this empty");
    } else if (servers.length === 0 && !outside.has(port.process))
      fault(["process"], `no VDU runs ${port.process}: add it to vdus.yaml, or say reserved: true`);
    else if (port.from.length === 0) fault(["from"], "open to nobody: say who may, or reserved: true");
    if (!networks.value.networks.some(({ name }) => name === port.network)) {
      fault(["network"], `there is no network ${port.network}`);
      continue;
    }
    if (
      !port.reserved &&
      !isOn(port.process, port.network) &&
      (servers.length > 0 || outside.has(port.process))
    )
      fault(["network"], `${port.process} is not on network ${port.network}`);
    // Processes of one machine, and processes that are to come, cannot share a number.
    const machines = servers.length > 0 || outside.has(port.process) ? servers.map(nameOf) : [port.process];
    for (const machine of machines)
      for (const protocol of port.protocols) {
        const range = { machine: `${machine} ${protocol}`, first: port.port, last: port.last ?? port.port };
        const other = numbers.find(
          (one) => one.machine === range.machine && one.first <= range.last && range.first <= one.last,
        );
        if (other !== undefined)
          fault(["port"], `${port.port}/${protocol} is ${other.full} on the same machine`);
        numbers.push({ ...range, full });
      }
    if (port.last !== undefined && port.last < port.port)
      fault(["last"], `${port.last} is before ${port.port}`);
    for (const [index, who] of port.from.entries()) {
      const problem = peerProblem(who, port);
      if (problem !== undefined) fault(["from", index], problem);
    }
  }
  return faults;

  function peerProblem(who: string, port: Port): string | undefined {
    if (running(who).length === 0 && !outside.has(who))
      return `${who} is neither a process of a VDU nor a party in networks.yaml`;
    if (!isOn(who, port.network)) return `${who} is not on network ${port.network}`;
    const servers = running(port.process);
    const barred = running(who).find((client) => {
      const zone = zones.value.zones.find(({ name }) => name === client.zone);
      if (zone?.reaches === undefined || servers.some((server) => server.zone === zone.name)) return false;
      return !zone.reaches.some((open) => open.process === port.process && open.ports.includes(port.name));
    });
    return barred === undefined
      ? undefined
      : `${barred.name} is in zone ${barred.zone}, which may not reach ${port.process}/${port.name} (zones.yaml, reaches)`;
  }
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

function twice<T>(file: Located<T>, list: string, entries: readonly { readonly name: string }[]): Fault[] {
  const seen = new Set<string>();
  return entries.flatMap(({ name }, at) => {
    if (seen.has(name)) return [file.fault([list, at, "name"], `${name} is here twice`)];
    seen.add(name);
    return [];
  });
}

function unknown<T>(
  file: Located<T>,
  place: readonly (string | number)[],
  wanted: readonly string[],
  known: ReadonlySet<string>,
  what: string,
): Fault[] {
  return wanted.flatMap((name, at) =>
    known.has(name)
      ? []
      : [file.fault([...place, at], `there is no ${what} ${name}: ${[...known].join(", ")}`)],
  );
}
