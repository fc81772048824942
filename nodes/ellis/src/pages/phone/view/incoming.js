import { byId, write } from "./dom.js";

/** The dialog of the call that rings, one after the other; Escape lets a call wait in the list. Its update() gives the tone that is to be heard. */
export function incomingDialog({ calls, attempt }) {
  const dialog = byId("incoming");
  const waiting = new Set();
  let shown;

  const on = (id, work) =>
    byId(id).addEventListener("click", () => {
      const call = shown;
      if (call !== undefined) attempt(() => work(call));
    });
  on("answer", (call) => calls.answer(call));
  on("answer-video", (call) => calls.answer(call, { video: true }));
  on("reject", (call) => call.reject());
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (shown === undefined) return;
    waiting.add(shown);
    shown.changed();
  });

  function update() {
    const ringing = calls.ringing.filter((call) => !waiting.has(call) && call.takesOver === undefined);
    const next = ringing.includes(shown) ? shown : ringing[0];
    const isBusy = calls.others.length > 0;
    const tone = next === undefined ? "" : isBusy ? "waiting" : "ring";
    document.title = next === undefined ? "Phone" : `☎ ${next.peer.name}`;
    if (next !== shown) show(next, isBusy);
    return tone;
  }

  function show(next, isBusy) {
    shown = next;
    if (next === undefined) return dialog.close();
    write(byId("incoming-title"), `${next.peer.name} calls`);
    const more = [
      next.offersVideo ? "With video." : "",
      next.divertedBy === "" ? "" : `Sent on by ${next.divertedBy}.`,
      isBusy ? "If you answer, the call you are in is held." : "",
    ];
    write(byId("incoming-more"), more.filter((each) => each !== "").join(" "));
    byId("answer-video").hidden = !next.offersVideo;
    if (!dialog.open) dialog.showModal();
    byId("answer").focus();
  }
  return { update };
}

/** Resolves with whether the user says yes. */
export function ask(text) {
  const dialog = byId("question");
  if (dialog.open) return Promise.resolve(false);
  byId("question-text").textContent = text;
  dialog.showModal();
  byId("yes").focus();
  return new Promise((resolve) => {
    let said = false;
    byId("yes").onclick = () => {
      said = true;
      dialog.close();
    };
    byId("no").onclick = () => dialog.close();
    dialog.onclose = () => resolve(said);
  });
}
