import { el } from "../elements.js";
import { keyForm } from "./key-form.js";
import { clock, problemList } from "./words.js";

const SEVERITIES = { failure: "✗ wrong", outcome: "– ended so", notice: "! worth knowing" };

/** What went wrong with a subscriber or a call, in words, and what to do. */
export async function open(root, portal) {
  const [key, last = "5"] = portal.parts;
  root.append(keyForm("Examine", { key, last }, (wanted, count) => portal.go("doctor", wanted, count)));
  if (key === undefined || key === "") {
    root.append(
      el(
        "p",
        { class: "about" },
        "What went wrong with a subscriber's registrations and calls, or with one call, and what to do.",
      ),
    );
    return;
  }
  const state = el("p", { role: "status", class: "total" }, "Looking…");
  root.append(state);
  const said = await portal.ask("GET", `/staff/core/diagnosis?${new URLSearchParams({ key, last })}`);
  const problems = problemList();
  problems.fill(said.problems);
  const all = [...said.diagnoses, ...said.exchanges.flatMap(({ diagnoses }) => diagnoses)];
  const wrong = all.filter(({ severity, over }) => severity === "failure" && !over).length;
  state.textContent =
    wrong > 0
      ? `${wrong} found that went wrong.`
      : said.exchanges.length === 0
        ? `Nothing is known of ${key}: ${said.oldest === undefined ? "nothing is kept" : `what is kept begins at ${said.oldest}`}.`
        : "Nothing is wrong in what is kept.";
  root.append(
    problems.element,
    ...said.subjects.map(subjectOf),
    ...said.diagnoses.map((one) => diagnosisOf(one)),
    ...[...said.exchanges].reverse().map((one) => exchangeOf(one, portal)),
    ...(said.alarms.length === 0
      ? []
      : [
          el("h2", {}, "Alarms meanwhile"),
          el(
            "ul",
            { class: "plain" },
            ...said.alarms.map((one) =>
              el("li", {}, `${one.severity} ${one.node}: ${one.summary}: ${one.text}`),
            ),
          ),
        ]),
  );
}

const HSS = {
  found: "the HSS knows it",
  unknown: "the HSS does not know it",
  "without a set": "the HSS has it without an implicit registration set",
  "not asked": "the HSS could not be asked",
};

function subjectOf({ identity, hss, privateIdentity, contacts }) {
  const who = privateIdentity === undefined ? "" : ` as ${privateIdentity}`;
  const now =
    contacts === undefined
      ? ""
      : contacts === 0
        ? "; not registered now"
        : `; contacts registered now: ${contacts}`;
  return el("p", {}, el("strong", {}, identity), `: ${HSS[hss] ?? hss}${who}${now}`);
}

function exchangeOf({ start, method, from, to, outcome, callIds, diagnoses }, portal) {
  const parties = from === to || to === "" ? from : `${from} to ${to}`;
  return el(
    "section",
    { class: "exchange" },
    el("h2", {}, `${method} ${parties}: ${outcome}`),
    el("p", {}, `${clock(start)} `, el("a", { href: portal.hrefOf("ladders", callIds[0] ?? "") }, "ladder")),
    ...(diagnoses.length === 0
      ? [el("p", {}, "Nothing is wrong with it.")]
      : diagnoses.map((one) => diagnosisOf(one, start))),
  );
}

function diagnosisOf(
  { id, severity, title, said, likely, over, cause, remedy, clauses, evidence },
  start = 0,
) {
  const marks = [
    SEVERITIES[severity] ?? severity,
    ...(likely ? ["likely"] : []),
    ...(over ? ["over: it has gone well since"] : []),
  ];
  return el(
    "article",
    { class: "diagnosis", "data-severity": severity, "data-id": id },
    el("h3", {}, title),
    el("p", { class: "severity" }, marks.join(", ")),
    el("p", {}, said),
    el("p", {}, el("strong", {}, "Behind it: "), cause),
    el("p", {}, el("strong", {}, "What to do:")),
    el("ol", { class: "remedy" }, ...remedy.map((step) => el("li", {}, step))),
    el(
      "details",
      {},
      el("summary", {}, `Evidence: ${evidence.length} steps; ${clauses.join(", ")}`),
      el(
        "ul",
        { class: "plain" },
        ...evidence.map(({ node, time, title: step }) => {
          const when = start === 0 ? clock(time) : `${((time - start) / 1_000).toFixed(3)} s`;
          return el("li", {}, `${when}  ${node}: ${step}`);
        }),
      ),
    ),
  );
}
