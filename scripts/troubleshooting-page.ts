import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Area, areas, catalogue, type DiagnosisDefinition } from "@ims/doctor";

/** The page of the doctor's catalogue; a test holds it against the definitions. */
export const PAGE = "docs/operations/troubleshooting.md";

const TITLES: Readonly<Record<Area, string>> = {
  registration: "The phone does not register",
  authentication: "The password or the SIM is not accepted",
  call: "A call does not come about, or ends",
  network: "The core, its neighbours, or the request itself",
};

/** docs/operations/troubleshooting.md as the catalogue has it. */
export function troubleshootingPage(): string {
  const all: readonly (readonly [string, DiagnosisDefinition])[] = Object.entries(catalogue);
  const lines = [
    "<!-- Generated from nodes/common/doctor/src/catalogue: sh scripts/node scripts/troubleshooting-page.ts --write -->",
    "",
    "# Troubleshooting by symptom",
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
    lines.push(`## ${TITLES[area]}`, "", "| what one sees | diagnosis |", "|---|---|");
    for (const [id, { symptom, title }] of own) lines.push(`| ${symptom} | [${title}](#${id}) |`);
    lines.push("");
    for (const [id, definition] of own) lines.push(...linesOf(id, definition), "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
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
