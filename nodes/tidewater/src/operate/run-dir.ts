import type { Command } from "commander";
import { runDirOf } from "./running-nodes.ts";

const NODES = ["BONO", "SPROUT", "HOMESTEAD", "RALF", "HOMER", "ELLIS"];

/** Has the nodes that `command` starts say in its state directory where their management ports are. */
export function tellingWhere(command: Command, env: NodeJS.ProcessEnv = process.env): Command {
  return command.hook("preAction", (_, started) => {
    const { stateDir } = started.opts<{ stateDir?: string }>();
    if (stateDir === undefined) return;
    // By their environment, which they inherit: an operator's own setting goes before.
    for (const node of NODES) env[`TIDEWATER_${node}_RUN_DIR`] ??= runDirOf(stateDir);
  });
}
