/** An element with attributes and children; text is text, never markup. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return element;
}

let ids = 0;

/** A labelled field: what is wrong with it is told beside it, and to who does not see. */
export function field(label, input, hint) {
  const id = `field-${++ids}`;
  input.id = id;
  const error = el("span", { class: "error", id: `${id}-error` });
  const described = [`${id}-error`];
  const parts = [el("label", { for: id }, label), input];
  if (hint !== undefined) {
    parts.push(el("span", { class: "about", id: `${id}-hint` }, hint));
    described.push(`${id}-hint`);
  }
  input.setAttribute("aria-describedby", described.join(" "));
  const element = el("p", { class: "field" }, parts, error);
  return {
    element,
    input,
    /** Undefined: nothing is wrong. */
    judge(problem) {
      error.textContent = problem ?? "";
      if (problem === undefined) input.removeAttribute("aria-invalid");
      else input.setAttribute("aria-invalid", "true");
    },
  };
}

export function button(text, work, more = {}) {
  return el("button", { type: "button", onclick: work, ...more }, text);
}

/** A table that scrolls by itself where it is wider than the page. `rows`: cells, as text or elements. */
export function table(caption, heads, rows) {
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell))))),
    ),
  );
}

/** A part of a page under a heading. */
export function part(title, ...children) {
  return el("section", {}, el("h2", {}, title), ...children);
}

/** A form whose fields, by the names the API has for them, show what it says is wrong with them; `work` runs when it is sent. */
export function form(portal, work, ...children) {
  const element = el("form", {}, ...children);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    void portal.attempt(work);
  });
  return element;
}
