import { done, failed, type Outcome, type VnfInstance, type VnfMember } from "@ims/vnf";
import type { Command } from "commander";
import { type CloudGiven, type CloudTools, cloudCommand, withCloud, withVia } from "./cloud-command.ts";
import { checkName } from "./vnf-name.ts";

interface Given extends CloudGiven {
  readonly dryRun?: boolean;
  readonly undo?: boolean;
  readonly host?: string;
}

/** `tidewater vnf heal` and `drain`: for single members. */
export function membersCommands(exit: (code: number) => void): Command[] {
  return [
    withVia(
      cloudCommand(
        "heal",
        "make members anew, with their names, addresses and cells; without names those that have failed",
      ),
    )
      .argument("<name>", "name of the VNF", checkName)
      .argument("[members...]", "as bono-3")
      .option("--host <hostId>", "all members on this host, by the hostId that status shows")
      .option("--dry-run", "say which members it would be")
      .action(async (name: string, names: string[], given: Given) => exit(await heal(name, names, given))),
    withVia(
      cloudCommand(
        "drain",
        "take members out of service: they end what they have and are switched off; what is lost comes back with --undo",
      ),
    )
      .argument("<name>", "name of the VNF", checkName)
      .argument("<members...>", "as sprout-6")
      .option("--undo", "switch them on again")
      .option("--dry-run", "say what it would do")
      .action(async (name: string, names: string[], given: Given) => exit(await drain(name, names, given))),
  ];
}

function heal(name: string, names: readonly string[], given: Given): Promise<number> {
  return withCloud(given, (tools) =>
    withMembers(tools, name, async (instance, members) => {
      const chosen = chosenOf(members, names, given.host);
      if (typeof chosen === "string") return failed(chosen);
      if (chosen.length === 0) return done("no member has failed", false);
      const list = chosen.map(({ name: member, state, serverStatus = "no server", reason }) =>
        state === "failed" ? `${member} (${serverStatus}: ${reason})` : `${member} (${serverStatus})`,
      );
      if (given.dryRun === true) return done(`would make anew: ${list.join(", ")}`, false);
      tools.run.progress(`making anew: ${list.join(", ")}`);
      return tools.driver.heal(instance, chosen, tools.run);
    }),
  );
}

function drain(name: string, names: readonly string[], given: Given): Promise<number> {
  return withCloud(given, (tools) =>
    withMembers(tools, name, async (instance, members) => {
      const chosen = chosenOf(members, names, undefined);
      if (typeof chosen === "string") return failed(chosen);
      const list = chosen.map((member) => member.name).join(", ");
      const verb = given.undo === true ? "start" : "drain";
      if (given.dryRun === true) return done(`would ${verb} ${list}`, false);
      return given.undo === true
        ? tools.driver.resume(instance, chosen, tools.run)
        : tools.driver.drain(instance, chosen, tools.run);
    }),
  );
}

async function withMembers(
  { driver, run }: CloudTools,
  name: string,
  work: (instance: VnfInstance, members: readonly VnfMember[]) => Promise<Outcome>,
): Promise<Outcome> {
  const instance = await driver.find(name, run.signal);
  if (instance === undefined) return failed(`there is no ${name}`);
  return work(instance, await driver.members(instance, run.signal));
}

/** A text: why not. */
function chosenOf(
  members: readonly VnfMember[],
  names: readonly string[],
  host: string | undefined,
): readonly VnfMember[] | string {
  if (host !== undefined) {
    if (names.length > 0) return "give members or --host, not both";
    // An empty or short one would be every host's, or several hosts'.
    if (!/^[0-9a-f]{12,56}$/.test(host))
      return `--host ${JSON.stringify(host)}: write the hostId that tidewater vnf status shows, its first 12 hexadecimal digits at least`;
    const there = members.filter(({ hostId }) => hostId?.startsWith(host) === true);
    if (new Set(there.map(({ hostId }) => hostId)).size > 1)
      return `--host ${host} is of several hosts: write more of it`;
    return there.length === 0 ? `no member is on host ${host}` : there;
  }
  if (names.length === 0)
    return members.filter(({ state, hostStatus }) => state === "failed" || hostStatus === "DOWN");
  const unknown = names.filter((one) => !members.some((member) => member.name === one));
  if (unknown.length > 0)
    return `no member ${unknown.join(", ")}; there are ${members.map((member) => member.name).join(", ")}`;
  return members.filter((member) => names.includes(member.name));
}
