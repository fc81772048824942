import type { CommandRow, Described } from "./command-table.ts";

/** Completion for zsh, with descriptions. */
export function zshCompletion(rows: readonly CommandRow[]): string {
  const paths = rows.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const values = rows.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) => {
      if (value === "none") return [];
      const patterns = flags.map((flag) => `"${path}:${flag}"`).join("|");
      const reply = value === "any" ? "_files" : `compadd -- ${value.map(quoted).join(" ")}`;
      return [`    ${patterns}) ${reply}; return ;;`];
    }),
  );
  const cases = rows.flatMap(({ path, commands, options, words }) => [
    `    "${path}")`,
    `      flags=(${options.map(entry).join(" ")})`,
    `      names=(${[...commands.map(entry), ...(words ?? []).map(quoted)].join(" ")})`,
    "      ;;",
  ]);
  return [
    "#compdef tidewater",
    "# Completion of tidewater for zsh, made by: tidewater completion zsh",
    "_tidewater() {",
    '  local at="" word previous="${words[CURRENT-1]}"',
    "  local -a flags names",
    '  for word in "${(@)words[2,CURRENT-1]}"; do',
    '    case "${at:+$at }$word" in',
    `      ${paths.join("|")}) at="\${at:+$at }$word" ;;`,
    "    esac",
    "  done",
    '  case "$at:$previous" in',
    ...values,
    "  esac",
    '  case "$at" in',
    ...cases,
    "  esac",
    '  if [[ "${words[CURRENT]}" == -* ]]; then _describe option flags; return; fi',
    "  if (( $#names )); then _describe command names; else _files; fi",
    "}",
    'if [[ "$funcstack[1]" == _tidewater ]]; then _tidewater "$@"; else compdef _tidewater tidewater; fi',
    "",
  ].join("\n");
}

/** name:description; a colon in a name would end it. */
function entry({ name, description }: Described): string {
  return quoted(`${name.replaceAll(":", "\\:")}:${description}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
