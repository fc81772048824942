import { el } from "../elements.js";
import { liveTable } from "./live-table.js";
import { poll } from "./poll.js";
import { clock, duration, problemList, size } from "./words.js";

const EVERY_MS = 2_000;
const HEADS = ["Member", "State", "What it says", "Load", "Release", "Place"];
const STATES = {
  ready: "✓ ready",
  "not-ready": "✗ not ready",
  draining: "↓ draining",
  unreachable: "✗ unreachable",
};

/** Pools and their members, as they are now. */
export function open(root, portal) {
  const problems = problemList();
  const total = el("p", { class: "total", "aria-live": "polite" });
  const list = el("div");
  const pools = new Map();
  root.append(total, problems.element, list);
  return poll(
    async () => {
      const map = await portal.ask("GET", "/staff/core/pools");
      problems.fill(map.problems);
      const members = map.pools.flatMap((pool) => pool.members);
      const ready = members.filter(({ state }) => state === "ready").length;
      const text =
        members.length === 0 ? "No nodes are known." : `${ready} of ${members.length} nodes are ready.`;
      if (total.textContent !== text) total.textContent = text;
      for (const [name, { section }] of pools)
        if (!map.pools.some((pool) => pool.name === name)) {
          section.remove();
          pools.delete(name);
        }
      for (const { name, members: of } of map.pools) {
        let known = pools.get(name);
        if (known === undefined) {
          const table = liveTable(`Pool ${name}`, HEADS);
          const section = el("section", { "data-pool": name }, el("h2", {}, name), table.element);
          known = { section, table };
          pools.set(name, known);
          list.append(section);
        }
        known.table.fill(of.map(rowOf));
      }
    },
    EVERY_MS,
    portal.say,
  );
}

function rowOf(member) {
  const { name, address, state, since, problem, reasons, notes } = member;
  const said = [...reasons, ...notes, ...(problem === undefined ? [] : [problem])];
  const load = [];
  if (member.processorPercent !== undefined) load.push(`processor ${member.processorPercent} %`);
  if (member.memoryBytes !== undefined) load.push(`memory ${size(member.memoryBytes)}`);
  if (member.machineLoad !== undefined) load.push(`machine ${member.machineLoad}`);
  const release =
    member.version === undefined ? [] : [member.version, `up ${duration(member.uptimeSeconds)}`];
  const place = [address];
  if (member.host !== undefined) place.push(`host ${member.host}`);
  if (member.cell !== undefined) place.push(`cell ${member.cell}`);
  if (member.zone !== undefined) place.push(`zone ${member.zone}`);
  if (member.site !== undefined) place.push(`site ${member.site}`);
  return {
    id: `${name} ${address}`,
    state,
    cells: [
      name,
      [STATES[state] ?? state, since === undefined ? "" : `since ${clock(since)}`],
      said,
      load,
      release,
      place,
    ],
  };
}
