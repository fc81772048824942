import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Area,
  alarmsOf,
  alertRules,
  areas,
  catalogue,
  type DiagnosisDefinition,
  type DiagnosisId,
} from "@ims/doctor";
import { CATALOGUE } from "./problems-page.ts";

/** The page of the doctor's catalogue; a test holds it against the definitions. */
export const PAGE = "docs/operations/troubleshooting.md";

const LAST = "What an operator sees: alarms";
const LAST_ANCHOR = "what-an-operator-sees-alarms";
const TITLES: Readonly<Record<Area, string>> = {
  registration: "The phone does not register",
  authentication: "The password or the SIM is not accepted",
  call: "A call does not come about, or ends",
  network: "The core, its neighbours, or the request itself",
};

/** docs/operations/troubleshooting.md as the catalogue has it. */
export function troubleshootingPage(): string {
  const all = Object.entries(catalogue) as [DiagnosisId, DiagnosisDefinition][];
  const lines = [
    "<!-- Generated from nodes/common/doctor/src/catalogue: sh scripts/node scripts/troubleshooting-page.ts --write -->",
    "",
    "# Troubleshooting by symptom",
    "",
    "A symptom leads to a diagnosis, which the doctor finds by itself in what the nodes have seen; a diagnosis that concerns more than one user leads to an alarm. What a",
    `user says is in the first four chapters, what an operator sees in [the last one](#${LAST_ANCHOR}).`,
    "",
    "    tidewater doctor 001010123456789            # an IMSI",
    "    tidewater doctor sip:alice@example.com      # or a public or private identity, a telephone number",
    "    tidewater doctor 8f3a@192.0.2.7             # or the Call-ID or the ICID of one call",
    "    tidewater doctor 6505550000 --all --text    # with all ladders and the messages",
    "    tidewater doctor 6505550000 --json",
    "",
    "The doctor asks all nodes for the [trail](trail.md) of the subscriber's last registrations and calls, homestead for what the HSS has of him (never a",
    "secret), sprout for his registration, and all of them for their [alarms](alarms.md). Then it says which of the diagnoses below is met: what was seen, why",
    "that happens, what to do, and where it is specified; below stands the ladder. Nodes are found as by `tidewater trail` (`--state-dir`, `--host`, `--node`,",
    "`--token-file`); homestead says itself where its provisioning API is (`--provisioning-url`, `--provisioning-token-file`).",
    "",
    "Exit code 0: nothing is wrong, or it has gone well since; 1: something is, nobody knows the name, or a node did not answer (then the answer says",
    "that it is a part of the truth); 2: wrong use. `WRONG` is a fault, `ENDED` an ordinary end of a call, `NOTE` is worth knowing although all went well.",
    "What nobody has diagnosed is said to be so, with the ladder.",
    "",
    "What is kept is bounded by the trails of the nodes (`--trail-bytes`): it reaches back minutes on a busy core and days on a quiet one, and is gone when a node",
    "restarts. The same as data, for programs: `examine` of `@ims/doctor`.",
    "",
    `${all.length} diagnoses; each one is produced by a wrong set-up in test/e2e/doctor*.test.ts.`,
    "",
  ];
  for (const area of areas) {
    const own = all.filter(([, definition]) => definition.area === area);
    const rules = alertRules[area].map((rule) => `\`${rule}\``).join(", ");
    lines.push(`## ${TITLES[area]}`, "");
    lines.push(`When many users meet it, these [alert rules](monitoring.md) fire: ${rules}.`, "");
    lines.push("| what one sees | diagnosis | alarm |", "|---|---|---|");
    for (const [id, { symptom, title }] of own)
      lines.push(`| ${symptom} | [${title}](#${id}) | ${alarmsOf(id).map(linkOf).join(", ")} |`);
    lines.push("");
    for (const [id, definition] of own) lines.push(...linesOf(id, definition), "");
  }
  lines.push(...alarmLines(all));
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Every alarm, and what users see of it. */
function alarmLines(all: readonly (readonly [DiagnosisId, DiagnosisDefinition])[]): string[] {
  const lines = [
    `## ${LAST}`,
    "",
    "`tidewater alarms` (or `--watch`), the log, SNMP and Prometheus' rule `TidewaterAlarm` tell of these; the id leads to cause, effect and action. Beside it stands what users see meanwhile, if anything.",
    "",
    "| alarm | what it says | users see |",
    "|---|---|---|",
  ];
  for (const { problems } of CATALOGUE)
    for (const { id, kind, summary } of Object.values(problems)) {
      if (kind !== "alarm") continue;
      const seen = all.filter(([diagnosis]) => alarmsOf(diagnosis).includes(id));
      lines.push(
        `| ${linkOf(id)} | ${summary} | ${seen.map(([diagnosis]) => `[${diagnosis}](#${diagnosis})`).join(", ")} |`,
      );
    }
  return lines;
}

const NAMES = new Map(
  CATALOGUE.flatMap(({ problems }) => Object.values(problems).map(({ id, name }) => [id, name] as const)),
);

function linkOf(id: string): string {
  const name = NAMES.get(id) ?? "";
  return `[${id} ${name}](../reference/problems.md#${id.toLowerCase()}-${name})`;
}

function linesOf(id: string, { title, cause, remedy, clauses, severity }: DiagnosisDefinition): string[] {
  const kind =
    severity === "failure" ? "" : severity === "outcome" ? " Nothing is wrong." : " Worth knowing.";
  return [
    `### ${id}`,
    "",
    `**${title}.**${kind} ${cause}`,
    "",
    ...remedy.map((step) => `- ${step}`),
    "",
    clauses.join(", "),
  ];
}

if (import.meta.main) {
  if (process.argv[2] === "--write")
    writeFileSync(join(import.meta.dirname, "..", PAGE), troubleshootingPage());
  else process.stdout.write(troubleshootingPage());
}
