import { Argument, Command } from "commander";
import { bashCompletion } from "./bash.ts";
import { commandTable } from "./command-table.ts";
import { fishCompletion } from "./fish.ts";
import { zshCompletion } from "./zsh.ts";

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `tidewater completion bash|zsh|fish`: what the shell reads to complete commands, options and their values. */
export function completionCommand(program: Command): Command {
  return new Command("completion")
    .description("print what a shell needs to complete commands and options")
    .addArgument(new Argument("<shell>", "which shell").choices(Object.keys(SHELLS)))
    .addHelpText(
      "after",
      [
        "",
        "  bash:  source <(tidewater completion bash)          in ~/.bashrc",
        "  zsh:   tidewater completion zsh > ~/.zfunc/_tidewater   with ~/.zfunc in fpath",
        "  fish:  tidewater completion fish > ~/.config/fish/completions/tidewater.fish",
      ].join("\n"),
    )
    .action((shell: keyof typeof SHELLS) => {
      process.stdout.write(SHELLS[shell](commandTable(program)));
    });
}
