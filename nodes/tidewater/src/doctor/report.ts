import { styleText } from "node:util";
import {
  type Diagnosis,
  type Examination,
  type Examined,
  ladder,
  printable,
  type Subject,
} from "@ims/doctor";

/** Answers that begin something, or end it as was wanted. */
const NO_FAULTS = /^(?:401|407|487) /;
const WIDTH = 100;
/** Of a loop the first and the last ones are enough. */
const MOST_RUNGS = 300;

/** Nothing is wrong, nor was: an ordinary end of a call, and what has gone well since, count for nothing. */
export function isWell({ exchanges, diagnoses }: Examination): boolean {
  const wrong = (one: Diagnosis): boolean => one.severity === "failure" && !one.over;
  return !diagnoses.some(wrong) && !exchanges.some((one) => one.diagnoses.some(wrong) || isUnexplained(one));
}

/** It failed, and no diagnosis is for it. */
function isUnexplained({ failed, outcome, diagnoses }: Examined): boolean {
  return failed && !NO_FAULTS.test(outcome) && diagnoses.every(({ severity }) => severity === "notice");
}

/** For a terminal. `all`: ladders of what went well, too. */
export function report(
  examination: Examination,
  { all, text }: { readonly all: boolean; readonly text: boolean },
): string {
  const { key, subjects, exchanges, diagnoses, alarms, earlier, oldest, problems } = examination;
  const parts: string[] = subjects.map((subject) => subjectText(subject));
  if (alarms.length > 0) {
    const shown = alarms.map(
      (alarm) =>
        `  ${alarm.node}  ${alarm.perceivedSeverity}  ${alarm.problemId} ${alarm.summary} ${alarm.objectInstance}`,
    );
    parts.push(["Alarms of the nodes", ...shown.map((line) => printable(line.trimEnd()))].join("\n"));
  }
  for (const one of exchanges) parts.push(exchangeText(one, { all, text }));
  if (earlier > 0) parts.push(`${earlier} earlier ones are not shown (--last)`);
  for (const diagnosis of diagnoses) parts.push(diagnosisText(diagnosis));
  if (exchanges.length === 0) {
    const kept =
      oldest === undefined ? "nothing is kept" : `what is kept begins at ${new Date(oldest).toISOString()}`;
    parts.push(`Nothing is known of registrations or calls of ${printable(key)}: ${kept}.`);
  }
  if (problems.length > 0)
    parts.push(
      ["This is a part of the truth only", ...problems.map((line) => `  ${printable(line)}`)].join("\n"),
    );
  return parts.join("\n\n");
}

const HSS_WORDS = {
  found: "knows it",
  unknown: "does not know it",
  "without a set": "has the private identity, and no public one for it",
  "not asked": "could not be asked",
} as const;

function subjectText({ identity, subscriber, hss, registrations }: Subject): string {
  const lines = [styleText("bold", printable(identity))];
  if (subscriber !== undefined) {
    const { impi, publicIdentities, authentication } = subscriber;
    lines.push(
      `  HSS           ${printable(impi)}, authenticated by ${authentication.join(" and ") || "nothing"}`,
    );
    for (const { impu, barred, state } of publicIdentities)
      lines.push(`                ${printable(impu)}${barred ? ", barred" : ""}, ${state}`);
  } else lines.push(`  HSS           ${HSS_WORDS[hss]}`);
  const contacts = registrations?.flatMap(({ bindings }) => bindings) ?? [];
  if (registrations === undefined) lines.push("  registration  sprout could not be asked");
  else if (contacts.length === 0) lines.push("  registration  none");
  for (const { contact, expiresIn } of contacts)
    lines.push(`  registration  ${printable(contact)}, expires in ${expiresIn} s`);
  return lines.join("\n");
}

function exchangeText(
  one: Examined,
  { all, text }: { readonly all: boolean; readonly text: boolean },
): string {
  const { diagnoses, exchange, method, from, to, outcome, start } = one;
  const unexplained = isUnexplained(one);
  const parties = from === to || to === "" ? from : `${from} to ${to}`;
  const head = `${new Date(start).toISOString()}  ${method} ${parties}: ${outcome}`;
  const parts = [styleText("bold", printable(head))];
  for (const diagnosis of diagnoses) parts.push(diagnosisText(diagnosis));
  if (unexplained)
    parts.push(
      "  No diagnosis is for this. The last steps of the ladder say who refused it; --text shows the messages.",
    );
  if (diagnoses.length === 0 && !unexplained && !all) return parts.join("\n");
  // Its title is said already.
  const rungs = ladder(exchange, { text, most: MOST_RUNGS }).split("\n").slice(1).join("\n");
  return [...parts, rungs].join("\n\n");
}

const COLOURS = { failure: "red", outcome: "yellow", notice: "cyan" } as const;
const WORDS = { failure: "WRONG", outcome: "ENDED", notice: "NOTE" } as const;

function diagnosisText({
  id,
  severity,
  title,
  said,
  likely,
  over,
  cause,
  remedy,
  clauses,
  evidence,
}: Diagnosis): string {
  const doubt = likely ? " (probably)" : "";
  const since = over ? " It has gone well since." : "";
  const seen = evidence.map(
    ({ time, node, title: step }) => `${new Date(time).toISOString().slice(11, 23)}  ${node}  ${step}`,
  );
  return [
    `${styleText(COLOURS[severity], WORDS[severity])}  ${styleText("bold", title)}${doubt}  [${id}]`,
    ...wrapped(`${said}${since}`, "  "),
    ...wrapped(cause, "  Why    "),
    ...remedy.flatMap((step, index) => wrapped(step, index === 0 ? "  Do     " : "         ")),
    ...seen.map((line, index) => `${index === 0 ? "  Seen   " : "         "}${printable(line)}`),
    `  See    ${clauses.join(", ")}`,
  ].join("\n");
}

/** In lines of a readable length; the first begins with `label`, the others below its end. */
function wrapped(text: string, label: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text).split(" ")) {
    if (line !== "" && label.length + line.length + word.length >= WIDTH) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  lines.push(line);
  return lines.map((one, index) => (index === 0 ? label : " ".repeat(label.length)) + one);
}
