import { el } from "../elements.js";

/** A form for a subscriber or a call: `go(key, last)`. */
export function keyForm(button, { key = "", last = "3" }, go) {
  const name = el("input", {
    name: "key",
    type: "search",
    required: true,
    autocomplete: "off",
    maxlength: "300",
  });
  name.value = key;
  const count = el(
    "select",
    { name: "last" },
    ...["1", "2", "3", "5", "10"].map((value) => el("option", { value }, value)),
  );
  count.value = last;
  const form = el(
    "form",
    { role: "search", class: "filter" },
    el("label", {}, "Identity, IMSI, number, Call-ID or ICID ", name),
    el("label", {}, "The last ", count),
    el("button", { type: "submit" }, button),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = name.value.trim();
    if (wanted !== "") go(wanted, count.value);
  });
  return form;
}
