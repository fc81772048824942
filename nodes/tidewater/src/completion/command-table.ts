import type { Argument, Command, Option } from "commander";

/** A command as shells complete it. */
export interface CommandRow {
  /** "" of the program itself, "config apply" below it. */
  readonly path: string;
  readonly commands: readonly Described[];
  readonly options: readonly OptionRow[];
  /** Words that its first argument may be; undefined: anything, such as a file. */
  readonly words: readonly string[] | undefined;
}

export interface Described {
  readonly name: string;
  readonly description: string;
}

export interface OptionRow extends Described {
  /** "--file"; of an option with a short name both. */
  readonly flags: readonly string[];
  /** What follows it: one of these, anything, or nothing. */
  readonly value: "none" | "any" | readonly string[];
}

/** Every command of a program with what may follow it, from the program's own definitions. */
export function commandTable(program: Command): CommandRow[] {
  return rowsBelow(program, "");
}

function rowsBelow(command: Command, path: string): CommandRow[] {
  const below = command.commands.map((one) => rowsBelow(one, `${path} ${one.name()}`.trim()));
  const help: OptionRow = {
    name: "--help",
    flags: ["--help", "-h"],
    description: "display help for command",
    value: "none",
  };
  return [
    {
      path,
      commands: command.commands.map((one) => ({
        name: one.name(),
        description: oneLine(one.description()),
      })),
      options: [...command.options.filter(({ hidden }) => !hidden).map(optionRow), help],
      words: command.registeredArguments[0] && wordsOf(command.registeredArguments[0]),
    },
    ...below.flat(),
  ];
}

function optionRow(option: Option): OptionRow {
  const { long, short, description, required, optional, argChoices } = option;
  const takes = required || optional;
  return {
    name: long ?? short ?? "",
    flags: [long, short].filter((flag) => typeof flag === "string"),
    description: oneLine(description),
    value: takes ? (argChoices ?? "any") : "none",
  };
}

function wordsOf({ argChoices }: Argument): readonly string[] | undefined {
  return argChoices;
}

function oneLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
