import { failed, preflight, refusalsIn } from "@ims/vnf";
import type { Command } from "commander";
import { type CloudGiven, cloudCommand, tellChecks, withCloud } from "./cloud-command.ts";
import { type DeploymentGiven, deploymentOf, withDeployment } from "./deployment-options.ts";
import { checkName } from "./vnf-name.ts";

interface Given extends CloudGiven, DeploymentGiven {
  readonly dryRun?: boolean;
}

/** `tidewater vnf preflight`: what instantiation would need, without making anything. */
export function preflightCommand(exit: (code: number) => void): Command {
  return withDeployment(
    cloudCommand(
      "preflight",
      "look up whether image, flavours, zones, hosts, networks and quotas are there; makes nothing",
    ),
  )
    .argument("<name>", "name the VNF is to have", checkName)
    .action(async (name: string, given: Given) => exit(await check(name, given)));
}

/** `tidewater vnf instantiate`: preflight, then the stack. */
export function instantiateCommand(exit: (code: number) => void): Command {
  return withDeployment(cloudCommand("instantiate", "make the VNF, or go on with one that is half made", 120))
    .argument("<name>", "name of the VNF, which is that of its stack", checkName)
    .option("--dry-run", "preflight only")
    .action(async (name: string, given: Given) => {
      exit(given.dryRun === true ? await check(name, given) : await instantiate(name, given));
    });
}

async function check(name: string, given: Given): Promise<number> {
  const read = deploymentOf(given);
  if (read.kind === "bad") return tellProblems(read.problems);
  const { deployment, hosts } = read;
  return withCloud(given, async (tools) => {
    const checks = await preflight(tools, { name, deployment, hosts }, tools.run.signal);
    return tellChecks(checks, given.json === true);
  });
}

async function instantiate(name: string, given: Given): Promise<number> {
  const read = deploymentOf(given);
  if (read.kind === "bad") return tellProblems(read.problems);
  const { deployment, hosts } = read;
  return withCloud(given, async (tools) => {
    const checks = await preflight(tools, { name, deployment, hosts }, tools.run.signal);
    for (const { verdict, what, remedy } of checks)
      if (verdict === "warning" || verdict === "unknown")
        tools.run.progress(`${verdict}: ${what}${remedy === undefined ? "" : `; ${remedy}`}`);
    const refusals = refusalsIn(checks);
    if (refusals.length > 0)
      return failed(
        `nothing was made: ${refusals.map(({ what }) => what).join("; ")}`,
        [],
        refusals.map(({ remedy, what }) => `${remedy ?? what}`),
      );
    return tools.driver.instantiate(name, deployment, tools.run);
  });
}

function tellProblems(problems: readonly string[]): number {
  for (const problem of problems) process.stderr.write(`tidewater: ${problem}\n`);
  return 1;
}
