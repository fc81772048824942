export const byId = (id) => document.getElementById(id);

/** An element with text; what people are called never is markup. */
export function made(tag, text, { className = "", onclick } = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = className;
  if (tag === "button") element.type = "button";
  if (onclick !== undefined) element.addEventListener("click", onclick);
  return element;
}

/** Sets text only when it is another one: a live region would say it again. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** mm:ss, with hours when there are some. */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shownParts = parts[0] === 0 ? parts.slice(1) : parts;
  return shownParts.map((part) => String(part).padStart(2, "0")).join(":");
}

export function when(ms) {
  return new Date(ms).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** The twelve keys of a telephone. */
export function keypad(group, pressed) {
  group.replaceChildren(
    ...[..."123456789*0#"].map((key) => {
      const names = { "*": "star", "#": "hash" };
      const button = made("button", key, { onclick: () => pressed(key) });
      button.setAttribute("aria-label", names[key] ?? key);
      return button;
    }),
  );
}
