import { Command, CommanderError } from "commander";
import { explain, subscriberCommand } from "./subscriber/index.ts";
import { upCommand } from "./up/index.ts";

/** Runs one command line; gives the exit code: 0 done, 1 failed, 2 wrong use. */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command("tidewater")
    .description("Tidewater, a virtual IMS core")
    .version("0.1.0")
    .exitOverride()
    .showHelpAfterError("(add --help to see what is possible)");
  let exitCode = 0;
  const exit = (code: number): void => {
    exitCode = code;
  };
  for (const command of [upCommand(exit), subscriberCommand(exit)])
    program.addCommand(command.exitOverride());
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(
      `tidewater: ${explain(error) ?? (error instanceof Error ? error.message : String(error))}\n`,
    );
    return 1;
  }
  return exitCode || Number(process.exitCode ?? 0);
}
