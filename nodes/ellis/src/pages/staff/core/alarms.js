import { el } from "../elements.js";
import { liveTable } from "./live-table.js";
import { poll } from "./poll.js";
import { clock, problemList } from "./words.js";

const EVERY_MS = 2_000;

/** Alarms of all nodes, worst first, and those that are over. */
export function open(root, portal) {
  const problems = problemList();
  const total = el("p", { class: "total", "aria-live": "polite" });
  const list = el("ul", { class: "alarms", "aria-label": "Active alarms" });
  const over = liveTable("The last that are over", ["Cleared", "Raised", "Node", "What", "About"]);
  const shown = new Map();
  root.append(total, problems.element, list, over.element);
  return poll(
    async () => {
      const { active, cleared, problems: lines } = await portal.ask("GET", "/staff/core/alarms");
      problems.fill(lines);
      const text =
        active.length === 0
          ? lines.length === 0
            ? "No alarms."
            : "No alarms of the nodes that answer."
          : totals(active);
      if (total.textContent !== text) total.textContent = text;
      const wanted = new Map(
        active.map((alarm) => [`${alarm.node} ${alarm.alarmId} ${alarm.alarmRaisedTime}`, alarm]),
      );
      for (const [id, { element }] of shown)
        if (!wanted.has(id)) {
          element.remove();
          shown.delete(id);
        }
      let index = 0;
      for (const [id, alarm] of wanted) {
        const known = shown.get(id) ?? itemOf(alarm);
        shown.set(id, known);
        known.update(alarm);
        if (list.children[index] !== known.element)
          list.insertBefore(known.element, list.children[index] ?? null);
        index++;
      }
      over.fill(
        cleared.map((alarm) => ({
          id: `${alarm.node} ${alarm.alarmId} ${alarm.alarmRaisedTime}`,
          cells: [
            clock(alarm.alarmClearedTime),
            clock(alarm.alarmRaisedTime),
            alarm.node,
            `${alarm.summary} (${alarm.problemId})`,
            [alarm.objectInstance, alarm.additionalText],
          ],
        })),
      );
    },
    EVERY_MS,
    portal.say,
  );
}

function totals(active) {
  const counts = new Map();
  for (const { perceivedSeverity } of active)
    counts.set(perceivedSeverity, (counts.get(perceivedSeverity) ?? 0) + 1);
  return [...counts].map(([severity, count]) => `${count} ${severity.toLowerCase()}`).join(", ");
}

function itemOf({
  node,
  problemId,
  specificProblem,
  summary,
  cause,
  effect,
  proposedRepairActions,
  alarmRaisedTime,
}) {
  const severity = el("strong", { class: "severity" });
  const about = el("p", { class: "about" });
  const element = el(
    "li",
    {},
    el("h2", {}, severity, ` ${summary}`),
    el("p", {}, `${node}, since ${clock(alarmRaisedTime)}`),
    about,
    el(
      "details",
      {},
      el("summary", {}, "Cause, effect, what to do"),
      el(
        "dl",
        {},
        ...[
          ["Problem", `${problemId} ${specificProblem}`],
          ["Cause", cause],
          ["Effect", effect],
          ["What to do", proposedRepairActions],
        ].flatMap(([term, text]) => [el("dt", {}, term), el("dd", { class: "words" }, text)]),
      ),
    ),
  );
  return {
    element,
    update({ perceivedSeverity, objectInstance, additionalText }) {
      element.dataset.severity = perceivedSeverity;
      if (severity.textContent !== perceivedSeverity) severity.textContent = perceivedSeverity;
      const text = objectInstance === "" ? additionalText : `${objectInstance}: ${additionalText}`;
      if (about.textContent !== text) about.textContent = text;
    },
  };
}
