import { formatFault, heatParameters, MODEL_FOLDER, planVnf, readModel, type VnfPlan } from "@ims/vnf";
import { Command, Option } from "commander";
import { type PlanOptions, planRequestOf } from "./plan-request.ts";

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
    .option("--model <folder>", "folder with vdus.yaml, networks.yaml, zones.yaml, ports.yaml", MODEL_FOLDER)
    .option("--json", "print JSON")
    .addOption(
      new Option("--heat", "print the plan as an environment file for heat-templates/ims.yaml").conflicts(
        "json",
      ),
    )
    .action((given: Given) => exit(plan(given)));
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
  const planning = planVnf(reading.model, asked.request);
  if (given.json === true) console.log(JSON.stringify(planning, undefined, 2));
  if (planning.kind === "refused") {
    if (given.json !== true)
      for (const { what, reason, remedy } of planning.refusals)
        process.stderr.write(`tidewater: ${what}: ${reason}; ${remedy}\n`);
    return 1;
  }
  if (given.json === true) return 0;
  if (given.heat !== true) {
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
