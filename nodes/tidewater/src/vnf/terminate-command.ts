import { done, failed } from "@ims/vnf";
import type { Command } from "commander";
import { type CloudGiven, cloudCommand, positive, withCloud, withVia } from "./cloud-command.ts";
import { checkName } from "./vnf-name.ts";

interface Given extends CloudGiven {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** `tidewater vnf terminate`: the VNF and all it has made. */
export function terminateCommand(exit: (code: number) => void): Command {
  return withVia(cloudCommand("terminate", "delete the VNF, and look that nothing it had made is left"))
    .argument("<name>", "name of the VNF", checkName)
    .option("--dry-run", "say what would be deleted")
    .option("--graceful <seconds>", "with --via sol003: time to drain that the VNF manager is told", positive)
    .option("--yes", "really: nothing is deleted without it")
    .action(async (name: string, given: Given) => exit(await terminate(name, given)));
}

function terminate(name: string, given: Given): Promise<number> {
  return withCloud(given, async ({ driver, heat, run }) => {
    const instance = await driver.find(name, run.signal);
    if (instance === undefined) {
      if (given.via === "sol003" || (await heat.stack(name, run.signal)) === undefined)
        return done(`there is no ${name}`, false);
      return failed(`stack ${name} is none of ours: it was not made from these templates`);
    }
    const sizes =
      instance.pools.length === 0
        ? instance.status
        : instance.pools.map(({ pool, size }) => `${pool} ${size}`).join(", ");
    if (given.dryRun === true) return done(`would delete ${name}: ${sizes}`, false);
    if (given.yes !== true)
      return failed(`this deletes ${name} (${sizes})`, [], ["add --yes when that is what is wanted"]);
    return driver.terminate(name, run);
  });
}
