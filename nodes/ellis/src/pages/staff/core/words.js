import { el } from "../elements.js";

export function clock(time) {
  if (time === undefined) return "";
  const date = new Date(time);
  const day = date.toDateString() === new Date().toDateString() ? "" : `${date.toISOString().slice(0, 10)} `;
  return `${day}${date.toTimeString().slice(0, 8)}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

export function size(bytes) {
  return `${Math.round(bytes / 1_048_576)} MB`;
}

/** What could not be asked: a list that is changed only when it says something else. */
export function problemList() {
  const element = el("ul", { class: "problems", role: "status", "aria-label": "What could not be asked" });
  let shown = "";
  return {
    element,
    fill(problems) {
      const text = problems.join("\n");
      if (text === shown) return;
      shown = text;
      element.replaceChildren(...problems.map((line) => el("li", {}, line)));
    },
  };
}
