/** What one worker told, in the text format of Prometheus. */
export interface WorkerMetrics {
  readonly worker: number;
  readonly text: string;
}

interface Family {
  /** Its HELP and TYPE lines. */
  readonly about: readonly string[];
  readonly samples: string[];
}

const ABOUT = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*)/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{)?(\})?/;

/** One text of all: each family once, with the samples of all workers, told apart by the label `worker`. */
export function mergedMetrics(told: readonly WorkerMetrics[]): string {
  const families = new Map<string, Family>();
  for (const { worker, text } of told) {
    let family: Family | undefined;
    let about: string[] = [];
    let isOpen = false;
    for (const line of text.split("\n")) {
      const [, kind, name = ""] = ABOUT.exec(line) ?? [];
      if (kind !== undefined) {
        if (!isOpen) about = [];
        isOpen = true;
        about.push(line);
        family = families.get(name);
        if (family === undefined) {
          family = { about, samples: [] };
          families.set(name, family);
        }
        continue;
      }
      isOpen = false;
      if (line !== "" && !line.startsWith("#")) family?.samples.push(labelled(line, worker));
    }
  }
  return [...families.values()]
    .map(({ about, samples }) => `${[...about, ...samples].join("\n")}\n`)
    .join("\n");
}

/** A sample with one more label, the first. */
function labelled(line: string, worker: number): string {
  const label = `worker="${worker}"`;
  return line.replace(SAMPLE, (_, name: string, open = "", close = "") => {
    if (open === "") return `${name}{${label}}`;
    return close === "" ? `${name}{${label},` : `${name}{${label}}`;
  });
}
