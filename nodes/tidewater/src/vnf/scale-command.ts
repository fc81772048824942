import { done, failed, planScaling, scalePool } from "@ims/vnf";
import type { Command } from "commander";
import { type CloudGiven, cloudCommand, withCloud, withVia } from "./cloud-command.ts";
import { readToken } from "./deployment-options.ts";
import { checkName, type PoolSize, poolSizeOf } from "./vnf-name.ts";

interface Given extends CloudGiven {
  readonly dryRun?: boolean;
  readonly drain: boolean;
  readonly joinTokenFile?: string;
}

/** `tidewater vnf scale NAME POOL=SIZE`. */
export function scaleCommand(exit: (code: number) => void): Command {
  return withVia(
    cloudCommand(
      "scale",
      "give a pool another size, in steps in which no host ever has more than the tolerated share; members that leave are drained before",
      120,
    ),
  )
    .argument("<name>", "name of the VNF", checkName)
    .argument("<pool=size>", "as sprout=11", poolSizeOf)
    .option("--dry-run", "print the steps only")
    .option("--no-drain", "delete members that leave without draining them")
    .option("--join-token-file <file>", "file with the one-time token for members that come")
    .action(async (name: string, size: PoolSize, given: Given) => exit(await scale(name, size, given)));
}

function scale(name: string, { pool, size }: PoolSize, given: Given): Promise<number> {
  return withCloud(given, async ({ driver, model, run }) => {
    if (given.dryRun === true) {
      const instance = await driver.find(name, run.signal);
      if (instance === undefined) return failed(`there is no ${name}`);
      const planning = planScaling(instance, model, pool, size);
      if (planning.kind === "refused") return failed(planning.reason, [], [planning.remedy]);
      const sizes = [planning.pool.size, ...planning.changes.map((change) => change.size)];
      return done(`${pool}: ${sizes.join(" > ")}`, false);
    }
    const token = given.joinTokenFile === undefined ? undefined : readToken(given.joinTokenFile);
    if (token?.kind === "bad") return failed(token.problem);
    return scalePool(driver, model, { name, pool, size }, run, {
      drain: given.drain,
      ...(token === undefined ? {} : { joinToken: token.token }),
    });
  });
}
