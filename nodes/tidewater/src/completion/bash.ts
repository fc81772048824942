import type { CommandRow } from "./command-table.ts";

/** Completion for bash; reads nothing but the words typed so far. */
export function bashCompletion(rows: readonly CommandRow[]): string {
  const paths = rows.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const values = rows.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) => {
      if (value === "none") return [];
      const patterns = flags.map((flag) => `"${path}:${flag}"`).join("|");
      const reply = value === "any" ? "-f" : `-W ${quoted(value.join(" "))}`;
      return [`    ${patterns}) mapfile -t COMPREPLY < <(compgen ${reply} -- "$cur"); return ;;`];
    }),
  );
  const cases = rows.map(({ path, commands, options, words }) => {
    const flags = options.flatMap((option) => option.flags).join(" ");
    const plain = [...commands.map(({ name }) => name), ...(words ?? [])].join(" ");
    return `    "${path}") flags=${quoted(flags)} words=${quoted(plain)} ;;`;
  });
  return [
    "# Completion of tidewater for bash, made by: tidewater completion bash",
    "_tidewater() {",
    '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" path="" flags="" words="" word',
    "  COMPREPLY=()",
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    case "${path:+$path }$word" in',
    `      ${paths.join("|")}) path="\${path:+$path }$word" ;;`,
    "    esac",
    "  done",
    '  case "$path:$prev" in',
    ...values,
    "  esac",
    '  case "$path" in',
    ...cases,
    "  esac",
    '  if [[ $cur == -* ]]; then words="$flags"; fi',
    '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")',
    "}",
    "complete -o default -F _tidewater tidewater",
    "",
  ].join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
