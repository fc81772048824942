import { failed, instantiateSol003, preflight, refusalsIn, vimConnection } from "@ims/vnf";
import type { Command } from "commander";
import { type CloudGiven, cloudCommand, tellChecks, withCloud, withVia } from "./cloud-command.ts";
import { type DeploymentGiven, deploymentOf, readToken, withDeployment } from "./deployment-options.ts";
import { checkName } from "./vnf-name.ts";

interface Given extends CloudGiven, DeploymentGiven {
  readonly dryRun?: boolean;
  readonly vnfd?: string;
  readonly flavour: string;
  readonly level?: string;
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
  return withVia(
    withDeployment(cloudCommand("instantiate", "make the VNF, or go on with one that is half made", 120)),
  )
    .argument("<name>", "name of the VNF, which is that of its stack", checkName)
    .option(
      "--vnfd <id>",
      "with --via sol003: identifier of the descriptor; default: the one of ours that is onboarded",
    )
    .option("--flavour <flavour>", "with --via sol003: deployment flavour", "ha")
    .option("--level <level>", "with --via sol003: instantiation level; default: that of the flavour")
    .option("--dry-run", "preflight only")
    .action(async (name: string, given: Given) => {
      if (given.via === "sol003") exit(await instantiateThroughManager(name, given));
      else exit(given.dryRun === true ? await check(name, given) : await instantiate(name, given));
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
    return tools.byHeat.instantiate(name, deployment, tools.run);
  });
}

function instantiateThroughManager(name: string, given: Given): Promise<number> {
  const { environment = [], hosts, dryRun, joinTokenFile, parameter = new Map<string, string>() } = given;
  const refused = [
    ...(environment.length > 0
      ? ["--environment: sizes are those of --flavour and --level, networks and zones parameters"]
      : []),
    ...(hosts === undefined ? [] : ["--hosts: a VNF manager does not look at hosts"]),
    ...(dryRun === true
      ? ["--dry-run: a VNF manager has none; tidewater vnf preflight looks at the cloud"]
      : []),
  ];
  if (refused.length > 0)
    return Promise.resolve(tellProblems(refused.map((why) => `with --via sol003 no ${why}`)));
  const parameters = new Map(parameter);
  if (joinTokenFile !== undefined) {
    const token = readToken(joinTokenFile);
    if (token.kind === "bad") return Promise.resolve(tellProblems([token.problem]));
    parameters.set("join_token", token.token);
  }
  return withCloud(given, async ({ vnfm, session, ours, run }) => {
    const connection = vimConnection(session.cloud);
    if (connection.kind === "bad") return failed(connection.problem);
    const { flavour, level } = given;
    const onboarded = (await vnfm.packages(run.signal)).filter(
      ({ vnfdId, onboardingState }) =>
        onboardingState === "ONBOARDED" &&
        (given.vnfd === undefined ? ours.includes(vnfdId ?? "") : vnfdId === given.vnfd),
    );
    const vnfdId = onboarded[0]?.vnfdId;
    if (!vnfdId)
      return failed(
        `no package ${given.vnfd === undefined ? "of ours" : `with the descriptor ${given.vnfd}`} is onboarded`,
        [],
        ["tidewater vnf package --profile sol001-2.6.1 ..., then tidewater vnf sol003 onboard"],
      );
    const request = {
      name,
      vnfdId,
      flavour,
      vim: connection.vim,
      parameters: Object.fromEntries(parameters),
    };
    return instantiateSol003(vnfm, level === undefined ? request : { ...request, level }, run);
  });
}

function tellProblems(problems: readonly string[]): number {
  for (const problem of problems) process.stderr.write(`tidewater: ${problem}\n`);
  return 1;
}
