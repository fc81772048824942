import { button, el } from "../elements.js";
import { liveTable } from "./live-table.js";
import { poll } from "./poll.js";
import { clock, problemList } from "./words.js";

const EVERY_MS = 2_500;
const KINDS = [
  ["all", "registrations and calls"],
  ["in-progress", "calls in progress"],
  ["calls", "calls"],
  ["registrations", "registrations"],
];
const STATES = {
  registered: "✓ registered",
  deregistered: "deregistered",
  challenged: "challenged, no answer to it yet",
  "setting-up": "… being set up",
  "in-progress": "● in progress",
  ended: "✓ ended",
  failed: "✗ refused",
  unanswered: "✗ no final answer",
};

/** The last registrations and calls, with their ladders; gives what ends it. */
export function recentList(root, portal, firstKind = "all") {
  const kind = el("select", { name: "kind" }, ...KINDS.map(([value, text]) => el("option", { value }, text)));
  kind.value = firstKind;
  const search = el("input", { name: "search", type: "search", autocomplete: "off" });
  const form = el(
    "form",
    { role: "search", class: "filter" },
    el("label", {}, "Show ", kind),
    el("label", {}, "Part of an identity, Call-ID or ICID ", search),
  );
  const counts = el("p", { class: "total" });
  const problems = problemList();
  const table = liveTable("The last registrations and calls", [
    "Last message",
    "What",
    "From",
    "To",
    "State",
    "Ladder",
  ]);
  const where = el("span", { "aria-live": "polite" });
  let page = 1;
  let pages = 1;
  const turn = (by) => {
    page = Math.min(Math.max(1, page + by), pages);
    void portal.attempt(load);
  };
  const pager = el(
    "p",
    { class: "pager" },
    button("Newer", () => turn(-1)),
    " ",
    where,
    " ",
    button("Older", () => turn(1)),
  );
  const about = el(
    "p",
    { class: "about" },
    "A call goes on until a BYE is seen: one whose phone has vanished without it stays in this list as long as its messages are kept.",
  );
  root.append(counts, problems.element, form, table.element, pager, about);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    page = 1;
    void portal.attempt(load);
  });

  let asked = 0;
  async function load() {
    const mine = ++asked;
    const query = new URLSearchParams({ kind: kind.value, search: search.value.trim(), page: String(page) });
    const said = await portal.ask("GET", `/staff/core/recent?${query}`);
    // Somebody has written on meanwhile.
    if (mine !== asked) return;
    pages = said.pages;
    problems.fill(said.problems);
    const since = said.since === undefined ? "" : `, of messages since ${clock(said.since)}`;
    where.textContent = `${said.total} found${since}, page ${page} of ${pages}`;
    const text = countsOf(said.counts);
    if (counts.textContent !== text) counts.textContent = text;
    table.fill(said.exchanges.map(rowOf));
  }

  function rowOf(one) {
    const key = one.icid ?? one.callIds[0] ?? "";
    const ladder = one.kind === "registration" ? (one.callIds[0] ?? "") : key;
    const state = [STATES[one.state] ?? one.state];
    if (one.answer !== undefined) state.push(one.answer);
    if (one.state === "in-progress")
      state.push(one.answeredAt === undefined ? "since before that" : `since ${clock(one.answeredAt)}`);
    return {
      id: `${one.kind} ${one.callIds[0]}`,
      state: one.state,
      cells: [
        clock(one.last),
        one.kind,
        one.from,
        one.to,
        state,
        { text: "ladder", href: portal.hrefOf("ladders", ladder) },
      ],
    };
  }

  return poll(load, EVERY_MS, portal.say);
}

function countsOf({ calls, registrations, flows }) {
  const parts = [];
  if (calls !== undefined) parts.push(`calls in progress ${calls}`);
  if (registrations !== undefined) parts.push(`registrations ${registrations}`);
  if (flows !== undefined) parts.push(`flows of phones ${flows}`);
  return parts.length === 0 ? "" : `The P-CSCFs count: ${parts.join(", ")}.`;
}
