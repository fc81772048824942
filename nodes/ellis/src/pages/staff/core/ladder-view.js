import { el } from "../elements.js";
import { drawingOf } from "./ladder-drawing.js";

let ids = 0;

/** One registration or call: a picture and a list, changed in place. `messageOf(rung)` gives the text of a message. */
export function ladderView(messageOf) {
  const id = `ladder-${++ids}`;
  const heading = el("h2");
  const about = el("p", { class: "about" });
  const picture = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Ladder" });
  const list = el("ol", { class: "rungs" });
  const hidden = el("p", { class: "about" });
  const element = el(
    "section",
    { class: "exchange" },
    heading,
    about,
    picture,
    el(
      "details",
      { open: true, class: "steps" },
      el("summary", {}, "The steps as text, with their messages"),
      list,
      hidden,
    ),
  );
  const items = new Map();
  let shown = "";
  return {
    element,
    show(ladder) {
      const text = JSON.stringify(ladder);
      if (text === shown) return;
      shown = text;
      const { method, from, to, outcome, start, callIds, icids, rungs } = ladder;
      const parties = from === to || to === "" ? from : `${from} to ${to}`;
      put(heading, `${method} ${parties}: ${outcome}`);
      const icid = icids.length === 0 ? "" : `, ICID ${icids.join(", ")}`;
      put(about, `${new Date(start).toISOString()}, Call-ID ${callIds.join(", ")}${icid}`);
      put(hidden, ladder.hidden === 0 ? "" : `${ladder.hidden} more steps in the middle are left out.`);
      picture.replaceChildren(drawingOf(ladder, id));
      const wanted = new Map(rungs.map((rung) => [`${rung.node} ${rung.sequence}`, rung]));
      for (const [name, { item }] of items)
        if (!wanted.has(name)) {
          item.remove();
          items.delete(name);
        }
      let index = 0;
      for (const [name, rung] of wanted) {
        const known = items.get(name) ?? itemOf(rung, messageOf);
        items.set(name, known);
        known.say(sentenceOf(rung, start));
        if (list.children[index] !== known.item) list.insertBefore(known.item, list.children[index] ?? null);
        index++;
      }
    },
  };
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function sentenceOf(rung, start) {
  const time = `${((rung.time - start) / 1_000).toFixed(6)} s`;
  if (rung.kind === "note") {
    const kind = rung.family === "decision" ? "" : `, ${rung.family}`;
    return `${time}  ${rung.from}${kind}: ${rung.title}`;
  }
  const took = rung.tookMs === undefined ? "" : ` (${rung.tookMs} ms)`;
  return `${time}  ${rung.from} → ${rung.to}: ${rung.title}${took}`;
}

function itemOf(rung, messageOf) {
  if (rung.ask === undefined) {
    const item = el("li", { class: rung.failed ? "failed" : "" });
    return { item, say: (text) => put(item, text) };
  }
  const summary = el("summary");
  const message = el("pre", { tabindex: "0", "aria-label": "The message, its secrets taken out" });
  const details = el("details", {}, summary, message);
  let asked = false;
  details.addEventListener("toggle", async () => {
    if (!details.open || asked) return;
    asked = true;
    message.textContent = "…";
    try {
      message.textContent = await messageOf(rung);
    } catch (error) {
      message.textContent = error.message;
      asked = false;
    }
  });
  const item = el("li", { class: rung.failed ? "failed" : "" }, details);
  return { item, say: (text) => put(summary, text) };
}
