import { byId, duration, made, when } from "./dom.js";

const KINDS = { out: "Called", in: "Was called by", missed: "Missed" };

/** Calls there were, newest first; each can be made again. */
export function historyView({ kept, call, message }) {
  function update() {
    const all = kept.calls();
    byId("no-calls").hidden = all.length > 0;
    byId("forget-calls").hidden = all.length === 0;
    byId("past").replaceChildren(
      ...all.map(({ uri, name, kind, at, seconds, why }) => {
        const item = document.createElement("li");
        item.className = kind;
        item.append(made("strong", `${KINDS[kind] ?? ""} ${name}`));
        const length = seconds === undefined ? why : duration(seconds * 1000);
        item.append(made("small", `${when(at)}. ${length ?? ""}`));
        if (uri !== "") {
          item.append(made("button", "Call", { onclick: () => call(uri) }));
          item.append(made("button", "Message", { onclick: () => message({ uri, name }) }));
          for (const button of item.querySelectorAll("button"))
            button.setAttribute("aria-label", `${button.textContent} ${name}`);
        }
        return item;
      }),
    );
  }
  byId("forget-calls").addEventListener("click", () => {
    kept.forgetCalls();
    update();
  });
  update();
  return { update };
}
