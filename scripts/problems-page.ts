import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { apiProblems } from "@ims/api";
import { applicationServerProblems } from "@ims/application-server";
import { bonoProblems } from "@ims/bono";
import { diameterProblems } from "@ims/diameter";
import { ellisProblems } from "@ims/ellis";
import { etcdClusterProblems } from "@ims/etcd-cluster";
import { homerProblems } from "@ims/homer";
import { homesteadProblems } from "@ims/homestead";
import { ralfProblems } from "@ims/ralf";
import { type Problem, type Problems, runtimeProblems } from "@ims/runtime";
import { sipProblems } from "@ims/sip";
import { sproutProblems } from "@ims/sprout";
import { storeProblems } from "@ims/store";
import { tidewaterProblems } from "@ims/tidewater";

/** Problems of a package: the range of their numbers, and where they are defined. */
export interface CatalogueSection {
  readonly title: string;
  readonly from: number;
  readonly to: number;
  readonly folder: string;
  readonly problems: Problems;
}

/** Everything that may go wrong, by number. */
export const CATALOGUE: readonly CatalogueSection[] = [
  section("Any node", 1_000, 1_099, "nodes/common/runtime", runtimeProblems),
  section("SIP", 1_100, 1_199, "nodes/common/sip", sipProblems),
  section("Diameter", 1_200, 1_299, "nodes/common/diameter", diameterProblems),
  section("Stores", 1_300, 1_399, "nodes/common/store", storeProblems),
  section("Between nodes", 1_400, 1_499, "nodes/common/api", apiProblems),
  section(
    "Application servers in a node",
    1_500,
    1_599,
    "nodes/common/application-server",
    applicationServerProblems,
  ),
  section("sprout", 2_000, 2_999, "nodes/sprout", sproutProblems),
  section("bono", 3_000, 3_999, "nodes/bono", bonoProblems),
  section("homestead", 4_000, 4_999, "nodes/homestead", homesteadProblems),
  section("ralf", 5_000, 5_999, "nodes/ralf", ralfProblems),
  section("homer", 6_000, 6_999, "nodes/homer", homerProblems),
  section("ellis", 7_000, 7_999, "nodes/ellis", ellisProblems),
  section("etcd-cluster", 8_000, 8_999, "etcd-cluster", etcdClusterProblems),
  section("Tools", 9_000, 9_099, "nodes/tidewater", tidewaterProblems),
];

/** The page of the catalogue; a test holds it against the definitions. */
export const PAGE = "docs/reference/problems.md";

function section(
  title: string,
  from: number,
  to: number,
  folder: string,
  problems: Problems,
): CatalogueSection {
  return { title, from, to, folder, problems };
}

/** docs/reference/problems.md as the definitions have it. */
export function problemsPage(catalogue: readonly CatalogueSection[] = CATALOGUE): string {
  const lines = [
    "<!-- Generated from src/problems.ts of the packages: sh scripts/node scripts/problems-page.ts --write -->",
    "",
    "# Problems",
    "",
    "What may go wrong, by the id that lines of the log (`problemId`), alarms and the metric `ims_alarms_active` have. An **alarm** stays in the",
    "list of the node until it is over; an **event** is a line of the log. [Alarms](../operations/alarms.md) says how to list them. Severities, types and",
    "probable causes are those of ITU-T X.733; a severity given here is the usual one, the alarm may say another.",
    "",
  ];
  for (const { title, problems } of catalogue) {
    lines.push(`## ${title}`, "");
    for (const problem of Object.values(problems)) lines.push(...linesOf(problem), "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function linesOf(problem: Problem): string[] {
  const { id, name, kind, severity, type, probableCause, summary, cause, effect, action } = problem;
  return [
    `### ${id} ${name}`,
    "",
    `${summary}. *${kind}, ${severity.toLowerCase()}, ${type}, ${probableCause}*`,
    "",
    `- Cause: ${cause}`,
    `- Effect: ${effect}`,
    `- Action: ${action}`,
  ];
}

if (import.meta.main) {
  if (process.argv[2] === "--write") writeFileSync(join(import.meta.dirname, "..", PAGE), problemsPage());
  else process.stdout.write(problemsPage());
}
