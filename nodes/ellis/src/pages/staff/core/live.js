import { button, el } from "../elements.js";
import { recentList } from "./recent-list.js";
import { clock, problemList } from "./words.js";

/** Who is registered, and who calls whom, now. */
export async function open(root, portal) {
  const calls = el("section", {}, el("h2", {}, "Calls"));
  const registered = el("section", {}, el("h2", {}, "Registered"));
  root.append(calls, registered);
  const end = recentList(calls, portal, "in-progress");
  await portal.attempt(() => registrations(registered, portal));
  return end;
}

async function registrations(root, portal) {
  const search = el("input", { name: "registered", type: "search", autocomplete: "off" });
  const form = el(
    "form",
    { role: "search", class: "filter" },
    el("label", {}, "Part of an identity ", search),
    el("button", { type: "submit" }, "Search"),
  );
  const problems = problemList();
  const found = el("ul", { class: "registrations", "aria-label": "Subscribers and their contacts" });
  const more = el("p");
  root.append(form, problems.element, found, more);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void portal.attempt(() => load());
  });
  await load();

  async function load(after) {
    const query = new URLSearchParams({ search: search.value.trim() });
    if (after !== undefined) query.set("after", after);
    const { rows, next, problems: lines } = await portal.ask("GET", `/staff/core/registrations?${query}`);
    problems.fill(lines);
    found.replaceChildren(...rows.map(itemOf));
    if (rows.length === 0) found.append(el("li", {}, "No subscriber is found."));
    more.replaceChildren(
      ...(after === undefined ? [] : [button("First page", () => void portal.attempt(() => load()))]),
      ...(next === undefined ? [] : [button("Next page", () => void portal.attempt(() => load(next)))]),
    );
  }

  function itemOf({ privateIdentity, publicIdentities, registrations: sets }) {
    const contacts = (sets ?? []).flatMap(({ bindings }) => bindings);
    const watching = (sets ?? []).reduce((sum, { subscriptions }) => sum + subscriptions.length, 0);
    const state =
      sets === undefined
        ? "not known"
        : contacts.length === 0
          ? "not registered"
          : `contacts ${contacts.length}`;
    return el(
      "li",
      { "data-state": contacts.length > 0 ? "registered" : "none" },
      el("h3", {}, publicIdentities[0] ?? privateIdentity),
      el(
        "p",
        {},
        `${privateIdentity}: ${state}${watching > 0 ? `, ${watching} subscriptions to its state` : ""}`,
      ),
      el(
        "ul",
        { class: "plain" },
        ...contacts.map(({ contact, expiresAt, registeredAt }) =>
          el("li", {}, `${contact}, registered ${clock(registeredAt)}, until ${clock(expiresAt)}`),
        ),
      ),
      el(
        "p",
        {},
        el("a", { href: portal.hrefOf("ladders", publicIdentities[0] ?? privateIdentity) }, "Ladders"),
        " ",
        el("a", { href: portal.hrefOf("doctor", publicIdentities[0] ?? privateIdentity) }, "Doctor"),
      ),
    );
  }
}
