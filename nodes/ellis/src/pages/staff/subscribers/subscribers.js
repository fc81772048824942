import { el, table } from "../elements.js";

/** Subscribers of homestead: those that a search finds, page by page. */
export async function open(root, portal) {
  const found = el("div", { "aria-live": "polite" });
  const search = el("input", { name: "search", type: "search", autocomplete: "off" });
  const form = el(
    "form",
    { role: "search" },
    el("label", {}, "Part of an identity ", search),
    el("button", { type: "submit" }, "Search"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void portal.attempt(() => load());
  });
  root.append(form, found);
  await load();

  async function load(after) {
    const query = new URLSearchParams({ limit: "50", search: search.value.trim() });
    if (after !== undefined) query.set("after", after);
    const { subscribers, next } = await portal.ask("GET", `/staff/subscribers?${query}`);
    found.replaceChildren(
      table(
        subscribers.length === 0 ? "No subscriber found" : "Subscribers",
        ["Private identity", "Public identities", "Registered", "Proves itself by"],
        subscribers.map(rowOf),
      ),
    );
    if (next !== undefined)
      found.append(
        el("button", { type: "button", onclick: () => void portal.attempt(() => load(next)) }, "Next page"),
      );
  }

  function rowOf({ impi, publicIdentities, authentication }) {
    return [
      el("a", { href: portal.hrefOf("subscribers", impi) }, impi),
      publicIdentities.map(({ impu, barred }) => el("div", {}, barred ? `${impu} (barred)` : impu)),
      publicIdentities.some(({ state }) => state === "registered") ? "yes" : "no",
      authentication.map((each) => (each === "aka" ? "SIM" : "password")).join(", "),
    ];
  }
}
