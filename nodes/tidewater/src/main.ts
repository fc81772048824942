import { VERSION } from "@ims/runtime";
import { Command, CommanderError } from "commander";
import { auditCommand } from "./audit/index.ts";
import { backupCommands } from "./backup/index.ts";
import { completionCommand } from "./completion/completion-command.ts";
import { configCommand } from "./config/config-command.ts";
import { doctorCommand } from "./doctor/doctor-command.ts";
import { explain } from "./explain.ts";
import { monitoringCommand } from "./monitoring/index.ts";
import { operateCommands } from "./operate/index.ts";
import { tellingWhere } from "./operate/run-dir.ts";
import { staffCommand } from "./staff/index.ts";
import { subscriberCommand } from "./subscriber/index.ts";
import { trailCommand } from "./trail/index.ts";
import { upCommand } from "./up/index.ts";
import { scaleCommands } from "./up/pools/scale-commands.ts";
import { vnfCommand } from "./vnf/index.ts";
import { WrongUseError } from "./wrong-use.ts";

/** Runs one command line; gives the exit code: 0 done, 1 failed, 2 wrong use. */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command("tidewater").description("Tidewater, a virtual IMS core").version(VERSION);
  let exitCode = 0;
  const exit = (code: number): void => {
    exitCode = code;
  };
  program.addCommand(tellingWhere(upCommand(exit))).addCommand(subscriberCommand(exit));
  program.addCommand(staffCommand());
  program.addCommand(auditCommand(exit)).addCommand(vnfCommand(exit)).addCommand(trailCommand(exit));
  program.addCommand(monitoringCommand(exit));
  program.addCommand(configCommand(exit)).addCommand(completionCommand(program));
  program.addCommand(doctorCommand(exit));
  for (const command of backupCommands(VERSION, exit)) program.addCommand(command);
  for (const command of scaleCommands(exit)) program.addCommand(command);
  for (const command of operateCommands(exit)) program.addCommand(command);
  settle(program);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCode); // whoever reads has enough: | head
    throw error;
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`tidewater: ${explain(error)}\n`);
    return error instanceof WrongUseError ? 2 : 1;
  }
  return exitCode || Number(process.exitCode ?? 0);
}

/** Wrong use is told in the same way by every command, and never ends the process from inside. */
function settle(command: Command): void {
  command
    .exitOverride()
    .showHelpAfterError("(add --help to see what is possible)")
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "tidewater: ")) });
  command.commands.forEach(settle);
}
