import { button, el, form, table } from "../elements.js";

/** Those that a search finds, page by page. */
export async function openList(root, portal) {
  const found = el("div", { "aria-live": "polite" });
  const search = el("input", { name: "search", type: "search", autocomplete: "off" });
  const searching = form(
    portal,
    () => load(),
    el("label", {}, "Part of an identity ", search),
    el("button", { type: "submit" }, "Search"),
  );
  searching.setAttribute("role", "search");
  if (portal.may("operator"))
    root.append(
      el(
        "p",
        {},
        el("a", { href: portal.hrefOf("subscribers", "new") }, "Add a subscriber"),
        " ",
        el("a", { href: portal.hrefOf("subscribers", "import") }, "Import a file"),
      ),
    );
  root.append(searching, found);
  await load();

  async function load(after) {
    const query = new URLSearchParams({ limit: "50", search: search.value.trim() });
    if (after !== undefined) query.set("after", after);
    const { subscribers, next } = await portal.ask("GET", `/staff/subscribers?${query}`);
    found.replaceChildren(
      subscribers.length === 0
        ? el("p", {}, next === undefined ? "No subscriber found." : "None so far.")
        : table(
            "Subscribers",
            ["Private identity", "Public identities", "Registered", "Proves itself by"],
            subscribers.map(rowOf),
          ),
    );
    if (next !== undefined) found.append(button("Next page", () => void portal.attempt(() => load(next))));
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
