import {
  type Dimensioning,
  formatFault,
  heatParameters,
  MODEL_FOLDER,
  planVnf,
  type Refusal,
  readModel,
  type VnfPlan,
} from "@ims/vnf";
import { Command, InvalidArgumentError, Option } from "commander";
import { type PlanOptions, planRequestOf, REFERENCE_LOAD } from "./plan-request.ts";

interface Given extends PlanOptions {
  readonly model: string;
  readonly json?: boolean;
  readonly heat?: boolean;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** `tidewater vnf plan`: cells, hosts and quotas; exit code 1 when the plan is refused, 2 for wrong use. */
export function planCommand(exit: (code: number) => void): Command {
  return new Command("plan")
    .description(
      "how pools are split into cells (server groups with anti-affinity) so that the failure of any host takes no more than the tolerated share, also while they are scaled; hosts and quotas this needs",
    )
    .option(
      "--pool <pool=size>",
      "pool to plan, as sprout=7, or sprout=7-15 to be scaled up to 15; may be repeated; default: all of the model at their usual sizes",
      collect,
    )
    .option(
      "--share <share>",
      "tolerated share, as 1/4, 0.25, 25% or for one pool sprout=1/3; may be repeated",
      collect,
    )
    .option(
      "--zone <zone=zones>",
      "availability zones of a zone of the model, with their hosts when known, as dmz=edge:7 or core=az1:4,az2:4; may be repeated",
      collect,
    )
    .addOption(
      new Option(
        "--subscribers <number>",
        "sizes for so many, from what was measured (docs/dimensioning.md), instead of --pool",
      )
        .argParser(numberFrom(1, 1e9))
        .conflicts("pool"),
    )
    .option(
      "--calls-per-hour <number>",
      "calls that each of them begins in an hour",
      numberFrom(0, 1_000),
      REFERENCE_LOAD.callsPerHour,
    )
    .option(
      "--registrations-per-hour <number>",
      "registrations of each in an hour",
      numberFrom(0, 1_000),
      REFERENCE_LOAD.registrationsPerHour,
    )
    .option(
      "--utilisation <part>",
      "part of one processor that a process may be busy",
      numberFrom(0.05, 0.95),
      REFERENCE_LOAD.utilisation,
    )
    .option(
      "--memory <pool=MiB>",
      "machines of another size than the model's, as bono=8192; may be repeated",
      collect,
    )
    .option("--model <folder>", "folder with vdus.yaml, networks.yaml, zones.yaml, ports.yaml", MODEL_FOLDER)
    .option("--json", "print JSON")
    .addOption(
      new Option("--heat", "print the plan as an environment file for heat-templates/ims.yaml").conflicts(
        "json",
      ),
    )
    .action((given: Given) => exit(plan(given)));
}

function numberFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+(?:\.\d+)?(?:e\d)?$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Write a number from ${least} to ${most}.`);
  };
}

function plan(given: Given): number {
  const reading = readModel(given.model);
  if (reading.kind === "bad") {
    for (const fault of reading.faults) process.stderr.write(`tidewater: ${formatFault(fault)}\n`);
    return 1;
  }
  const asked = planRequestOf(given, reading.model);
  if (asked.kind === "bad") {
    process.stderr.write(`tidewater: ${asked.problem}\n`);
    return 2;
  }
  if (asked.kind === "refused") return refuse(asked.refusals, given);
  const { request, model, dimensioning } = asked;
  const planning = planVnf(model, request);
  if (planning.kind === "refused") return refuse(planning.refusals, given);
  if (given.json === true) console.log(JSON.stringify({ ...planning, dimensioning }, undefined, 2));
  if (given.json === true) return 0;
  if (given.heat !== true) {
    if (dimensioning !== undefined) console.log(`${dimensioningTable(dimensioning)}\n`);
    console.log(planTable(planning.plan));
    return 0;
  }
  const heat = heatParameters(planning.plan);
  if (heat.kind === "bad") {
    process.stderr.write(`tidewater: ${heat.problem}\n`);
    return 1;
  }
  console.log("parameters:");
  for (const [name, value] of heat.parameters) console.log(`  ${name}: ${JSON.stringify(value)}`);
  return 0;
}

function refuse(refusals: readonly Refusal[], { json }: Given): number {
  if (json === true) console.log(JSON.stringify({ kind: "refused", refusals }, undefined, 2));
  else
    for (const { what, reason, remedy } of refusals)
      process.stderr.write(`tidewater: ${what}: ${reason}; ${remedy}\n`);
  return 1;
}

/** What the sizes come from. */
function dimensioningTable({ load, pools, machines, vcpus, memoryMiB, notes }: Dimensioning): string {
  const { subscribers, callsPerHour, registrationsPerHour, callsPerSecond, registrationsPerSecond } = load;
  const figure = (value: number): string => value.toLocaleString("en", { maximumFractionDigits: 2 });
  const span = ({ value, from, to }: { value: number; from: number; to: number }, unit: string): string =>
    `${figure(value)}${unit} (${figure(from)} to ${figure(to)})`;
  const lines = pools.map(({ pool, size, needed, by, processors, stateMiB }) => {
    const work = processors === undefined ? "" : `processors ${span(processors, "")}, `;
    const gib = { value: stateMiB.value / 1024, from: stateMiB.from / 1024, to: stateMiB.to / 1024 };
    return `  ${pool}: ${size}; ${needed} needed (${by}): ${work}state ${span(gib, " GiB")}`;
  });
  return [
    `${figure(subscribers)} subscribers, ${callsPerHour} calls and ${registrationsPerHour} registrations of each in an hour: ${figure(callsPerSecond)} calls/s, ${figure(registrationsPerSecond)} registrations/s`,
    ...lines,
    `  ${machines} machines, ${vcpus} vCPU, ${figure(memoryMiB / 1024)} GiB`,
    ...notes.map((note) => `  not in it: ${note}`),
  ].join("\n");
}

/** The plan for people. */
function planTable({ pools, zones, quotas }: VnfPlan): string {
  const lines: string[] = [];
  for (const { pool, zone, size, max, tolerated, hostCap, cells, steps } of pools) {
    const limit = tolerated.members === undefined ? "" : `, ${tolerated.members} at most`;
    lines.push(
      `${pool}: ${size} in zone ${zone}, share ${tolerated.share}${limit}: a host holds ${hostCap} at most`,
      `  cells up to ${max}: ${cells.map((members, cell) => `${pool}-cell-${cell} ${members}`).join(", ")}`,
      `  steps: ${["0", ...steps.toSize].join(" > ")}${steps.toMax.length === 0 ? "" : `; later ${[size, ...steps.toMax].join(" > ")}`}`,
    );
  }
  lines.push("", "hosts needed");
  for (const { zone, availabilityZone, hostsNeeded, hostsToHeal, hosts } of zones)
    lines.push(
      `  ${zone === availabilityZone ? zone : `${zone}, ${availabilityZone}`}: ${hostsNeeded}, ${hostsToHeal} to replace a member before it is gone${hosts === undefined ? "" : ` (there are ${hosts})`}`,
    );
  lines.push("", "quotas of the project, at the greatest sizes");
  for (const { name, unit, needed, usual } of quotas)
    lines.push(
      `  ${name.padEnd(21)} ${String(needed).padStart(7)} ${unit.padEnd(3)} ${needed > usual ? `more than the usual ${usual}: ask for it` : ""}`.trimEnd(),
    );
  return lines.join("\n");
}
