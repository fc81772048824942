import type { CommandRow } from "./command-table.ts";

/** Completion for fish, with descriptions. */
export function fishCompletion(rows: readonly CommandRow[]): string {
  const paths = rows.filter(({ path }) => path !== "").map(({ path }) => quoted(path));
  const lines = rows.flatMap(({ path, commands, options, words }) => {
    const here = `-n ${quoted(`test (__tidewater_at) = ${quoted(path)}`)}`;
    return [
      ...commands.map(
        ({ name, description }) =>
          `complete -c tidewater -f ${here} -a ${quoted(name)} -d ${quoted(description)}`,
      ),
      ...(words ?? []).map((word) => `complete -c tidewater -f ${here} -a ${quoted(word)}`),
      ...options.map(({ flags, description, value }) => {
        const names = flags.map((flag) =>
          flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
        );
        const takes = value === "none" ? "" : value === "any" ? " -r" : ` -x -a ${quoted(value.join(" "))}`;
        return `complete -c tidewater ${here} ${names.join(" ")}${takes} -d ${quoted(description)}`;
      }),
    ];
  });
  return [
    "# Completion of tidewater for fish, made by: tidewater completion fish",
    "function __tidewater_at",
    "  set -l at ''",
    "  for word in (commandline -opc)[2..-1]",
    '    set -l next (string trim "$at $word")',
    `    if contains -- "$next" ${paths.join(" ")}`,
    '      set at "$next"',
    "    end",
    "  end",
    '  echo "$at"',
    "end",
    ...lines,
    "",
  ].join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
