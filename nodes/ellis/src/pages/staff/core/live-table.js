import { el } from "../elements.js";

/**
 * A table whose rows are changed in place: who reads or has the focus in it is not disturbed by what is new. A cell is text, a list of texts, or
 * { text, href }.
 */
export function liveTable(caption, heads) {
  const body = el("tbody");
  const shown = new Map();
  const element = el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      { class: "live" },
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
      body,
    ),
  );
  return {
    element,
    /** `rows`: { id, cells, state }. */
    fill(rows) {
      const wanted = new Set(rows.map(({ id }) => id));
      for (const [id, { row }] of shown)
        if (!wanted.has(id)) {
          row.remove();
          shown.delete(id);
        }
      rows.forEach(({ id, cells, state }, index) => {
        let known = shown.get(id);
        if (known === undefined) {
          known = { row: el("tr"), texts: [] };
          shown.set(id, known);
        }
        const { row, texts } = known;
        if (state !== undefined) row.dataset.state = state;
        cells.forEach((cell, at) => {
          const text = JSON.stringify(cell);
          if (texts[at] === text) return;
          texts[at] = text;
          const made = el("td", { "data-label": heads[at] }, contentOf(cell));
          const before = row.children[at];
          if (before === undefined) row.append(made);
          else before.replaceWith(made);
        });
        if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
      });
    },
  };
}

function contentOf(cell) {
  if (Array.isArray(cell)) return cell.map((line) => el("div", {}, line));
  if (typeof cell === "object" && cell !== null) return el("a", { href: cell.href }, cell.text);
  return cell ?? "";
}
