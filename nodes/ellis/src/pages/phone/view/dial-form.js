import { byId, keypad } from "./dom.js";

/** Where a number is typed and called. */
export function dialForm({ dial, tones, attempt }) {
  const form = byId("dial");
  const { target } = form.elements;
  keypad(form.querySelector(".keys"), (key) => {
    tones.key(key);
    target.value += key;
  });
  byId("erase").addEventListener("click", () => {
    target.value = target.value.slice(0, -1);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const video = event.submitter?.value === "video";
    attempt(async () => {
      await dial(target.value, { video });
      target.value = "";
    });
  });
}
