import { button, el } from "../elements.js";
import { keyForm } from "./key-form.js";
import { ladderView } from "./ladder-view.js";
import { recentList } from "./recent-list.js";
import { problemList } from "./words.js";

/** Ladders of a subscriber or a call, which grow as messages flow; without a name, those to choose from. */
export function open(root, portal) {
  const [key, last = "3"] = portal.parts;
  root.append(keyForm("Show", { key, last }, (wanted, count) => portal.go("ladders", wanted, count)));
  if (key === undefined || key === "") return recentList(root, portal);
  return follow(root, portal, key, last);
}

function follow(root, portal, key, last) {
  const query = new URLSearchParams({ key, last });
  const state = el("p", { role: "status", class: "total" }, "Looking…");
  const problems = problemList();
  const list = el("div", { class: "ladders" });
  root.append(
    el(
      "p",
      {},
      button("Capture file for Wireshark", () => void portal.attempt(capture)),
      el("a", { href: portal.hrefOf("doctor", key, last) }, "What the doctor says"),
    ),
    ...[state, problems.element, list],
  );
  const views = new Map();
  let source;
  let again;
  let ended = false;
  connect();
  return () => {
    ended = true;
    source.close();
    clearTimeout(again);
  };

  function connect() {
    source = new EventSource(`/staff/core/ladders/events?${query}`);
    source.addEventListener("ladders", ({ data }) => show(JSON.parse(data)));
    source.addEventListener("end", ({ data }) => {
      source.close();
      state.textContent = "";
      // Who is not logged in any more sees why.
      void portal.attempt(async () => {
        await portal.ask("GET", "/staff/session");
        throw new Error(JSON.parse(data));
      });
    });
    source.addEventListener("error", () => {
      state.textContent = "The portal does not answer; what is shown is as it was. Trying again…";
      // After a refusal a browser does not try again by itself.
      if (source.readyState !== EventSource.CLOSED || ended) return;
      again = setTimeout(() => void refused(), 3_000);
    });
  }

  async function refused() {
    // The same question, with an answer that says what is wrong.
    if ((await portal.attempt(() => portal.ask("GET", `/staff/core/ladders?${query}`).then(show))) && !ended)
      connect();
    else if (!ended) again = setTimeout(() => void refused(), 5_000);
  }

  function show({ ladders, earlier, oldest, problems: lines }) {
    problems.fill(lines);
    const steps = ladders.reduce((sum, { rungs, hidden }) => sum + rungs.length + hidden, 0);
    const since = oldest === undefined ? "" : ` What is kept begins at ${oldest}.`;
    state.textContent =
      ladders.length === 0
        ? `Nothing is known of this name yet; what comes is shown.${since}`
        : `${ladders.length} shown with ${steps} steps${earlier > 0 ? `, ${earlier} earlier ones are not` : ""}; what comes is added.`;
    const wanted = new Map(ladders.map((ladder) => [`${ladder.callIds[0]} ${ladder.start}`, ladder]));
    for (const [id, { element }] of views)
      if (!wanted.has(id)) {
        element.remove();
        views.delete(id);
      }
    // The latest on top.
    [...wanted].reverse().forEach(([id, ladder], index) => {
      const view = views.get(id) ?? ladderView(messageOf);
      views.set(id, view);
      view.show(ladder);
      if (list.children[index] !== view.element)
        list.insertBefore(view.element, list.children[index] ?? null);
    });
  }

  async function messageOf({ ask, node, sequence, time }) {
    const asked = new URLSearchParams({ key: ask, node, sequence: String(sequence), time: String(time) });
    return (await portal.ask("GET", `/staff/core/step?${asked}`)).text;
  }

  async function capture() {
    const response = await fetch(`/staff/core/capture?${query}`, { credentials: "same-origin" });
    if (!response.ok) throw new Error((await response.json()).reason ?? response.statusText);
    const address = URL.createObjectURL(await response.blob());
    const link = el("a", { href: address, download: `${key.replace(/[^A-Za-z0-9@+_-]+/g, "_")}.pcapng` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    return "The capture file is being saved.";
  }
}
