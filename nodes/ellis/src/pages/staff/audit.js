import { button, el, form, table } from "./elements.js";

/** What staff did. */
export async function open(root, portal) {
  const fields = {
    from: el("input", { type: "datetime-local" }),
    until: el("input", { type: "datetime-local" }),
    who: el("input", { autocomplete: "off" }),
    action: el("input", { autocomplete: "off", placeholder: "subscriber.change" }),
    target: el("input", { autocomplete: "off" }),
    outcome: el(
      "select",
      {},
      ...["", "done", "refused", "failed"].map((each) => el("option", { value: each }, each || "any")),
    ),
  };
  const labels = {
    ...{ from: "From", until: "Until", who: "Who", action: "What, or its beginning" },
    ...{ target: "To whom or what", outcome: "Outcome" },
  };
  const found = el("div", { "aria-live": "polite" });
  const save = el("a", { download: "audit.jsonl" }, "Save what is found as JSON lines");
  root.append(
    form(
      portal,
      () => load(),
      ...Object.entries(fields).map(([name, input]) => el("label", {}, `${labels[name]} `, input)),
      el("button", { type: "submit" }, "Show"),
    ),
    el("p", {}, save),
    found,
  );
  await load();

  function query() {
    const asked = new URLSearchParams();
    for (const [name, { value, type }] of Object.entries(fields))
      if (value !== "")
        asked.set(name, type === "datetime-local" ? new Date(value).toISOString() : value.trim());
    return asked;
  }

  async function load(before) {
    const asked = query();
    save.href = `/staff/audit.jsonl?${asked}`;
    if (before !== undefined) asked.set("before", before);
    const { entries, next } = await portal.ask("GET", `/staff/audit?${asked}`);
    found.replaceChildren(
      entries.length === 0
        ? el("p", {}, next === undefined ? "Nothing found." : "Nothing here; there is more before.")
        : table(
            "Audit log, the latest first",
            ["When", "Who", "What", "To whom or what", "From", "Outcome", "Detail"],
            entries.map(rowOf),
          ),
    );
    if (next !== undefined) found.append(button("Older ones", () => void portal.attempt(() => load(next))));
  }
}

function rowOf({ at, who, role, action, target, from, outcome, status, detail, missed, repeated }) {
  const more = [
    ...(missed === undefined ? [] : [`${missed} refusals before it are not here`]),
    ...(repeated === undefined ? [] : [`${repeated} more in ten minutes`]),
  ];
  return [
    el("time", { datetime: at }, new Date(at).toLocaleString()),
    role === undefined ? who || "unknown" : `${who} (${role})`,
    action,
    target ?? "",
    from || "several",
    `${outcome} (${status})`,
    more.length === 0 ? (detail ?? "") : `${detail ?? ""} (${more.join(", ")})`.trim(),
  ];
}
