import { Command, CommanderError, Option as CommanderOption } from "commander";
import type { Option } from "./option.ts";

export type CommandLine =
  | {
      readonly kind: "parsed";
      readonly values: ReadonlyMap<string, string>;
      readonly config: string | undefined;
      readonly sharedConfig: string | undefined;
    }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "invalid"; readonly line: string };

export interface CommandLineOptions {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Option[];
  readonly sharedConfigPath: string;
}

/** Reads `--key value` and `--key=value`; a boolean option may stand without a value. */
export function parseCommandLine(argv: readonly string[], about: CommandLineOptions): CommandLine {
  const values = new Map<string, string>();
  let config: string | undefined;
  let sharedConfig: string | undefined;
  let help = "";
  const command = new Command(about.name)
    .description(about.description)
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut(text) {
        help += text;
      },
      writeErr() {},
    });
  const add = (flags: string, description: string, take: (value: string) => void): void => {
    command.addOption(new CommanderOption(flags, description));
    command.on(`option:${flags.slice(2).split(" ", 1)[0]}`, take);
  };
  for (const option of about.options) {
    const value = option.type === "boolean" ? "[true|false]" : `<${option.type ?? "value"}>`;
    add(`--${option.commandLine} ${value}`, describe(option), (text) => {
      values.set(option.key, text ?? "true");
    });
  }
  add("--config <file>", "file of key=value lines for this process", (path) => {
    config = path;
  });
  add(
    "--shared-config <file>",
    `file of key=value lines for all nodes (default: ${about.sharedConfigPath}, if there is one)`,
    (path) => {
      sharedConfig = path;
    },
  );
  try {
    command.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "help", text: help };
    return { kind: "invalid", line: error.message.replace(/^error: /, "").replaceAll("\n", " ") };
  }
  return { kind: "parsed", values, config, sharedConfig };
}

function describe(option: Option): string {
  const facts = [option.environment];
  if (option.defaultValue !== undefined && !option.secret)
    facts.push(`default: ${JSON.stringify(option.defaultValue)}`);
  return `${option.description} (${facts.join(", ")})`.trimStart();
}
