import { statusWords } from "../call/words.js";
import { byId, duration, keypad, write } from "./dom.js";

const template = byId("call");

/** One call on the page. `attempt` runs what a button does and says what went wrong; `actions` are those of the phone. */
export class CallView {
  element = template.content.firstElementChild.cloneNode(true);
  #call;
  #calls;
  #part = (name) => this.element.querySelector(`.${name}`);

  constructor(call, { calls, tones, devices, attempt }) {
    this.#call = call;
    this.#calls = calls;
    this.devices = devices;
    const on = (name, work) => this.#part(name).addEventListener("click", () => attempt(work));
    on("answer", () => calls.answer(call));
    on("reject", () => call.reject());
    on("hang-up", () => call.hangUp());
    on("hold", () => (call.media.isHeld ? calls.resume(call) : call.negotiation.hold(true)));
    on("mute", () => {
      call.media.isMuted = !call.media.isMuted;
      call.changed();
    });
    on("camera", async () => {
      await call.media.turnCamera(call.media.camera === undefined);
      call.changed();
      await call.negotiation.offer();
    });
    keypad(this.#part("tones"), (key) =>
      attempt(() => {
        tones.key(key);
        return call.tone(key) ? undefined : "The other side takes no tones.";
      }),
    );
    this.#part("tones").addEventListener("keydown", ({ key }) => {
      if (/^[0-9*#]$/.test(key))
        this.#part("tones")
          .querySelector(`:nth-child(${"123456789*0#".indexOf(key) + 1})`)
          .click();
    });
    this.#opens("tones-toggle", "tones");
    this.#opens("transfer-toggle", "transfer");
    this.#part("transfer").addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(() => calls.transfer(call, event.target.elements.target.value));
    });
    this.attempt = attempt;
    this.update();
  }

  /** Shows what the call is now. */
  update() {
    const call = this.#call;
    const { media, state } = call;
    const isActive = state === "active";
    write(this.#part("peer"), call.peer.name);
    write(this.#part("state"), stateWords(call));
    write(this.#part("note"), noteOf(call));
    this.#part("note").hidden = noteOf(call) === "";
    this.tick();
    const isIncoming = state === "incoming";
    for (const [name, is] of Object.entries({
      answer: isIncoming,
      reject: isIncoming,
      "hang-up": !isIncoming,
      ...{ hold: isActive, camera: isActive, "tones-toggle": isActive, "transfer-toggle": isActive },
      mute: isActive || state === "ringing",
    }))
      this.#part(name).hidden = !is;
    this.#press("hold", media.isHeld, media.isHeld ? "Resume" : "Hold");
    this.#press("mute", media.isMuted, "Mute");
    this.#press("camera", media.camera !== undefined, "Camera");
    this.#choices();
    this.#pictures();
  }

  tick() {
    const { answeredAt } = this.#call;
    write(this.#part("timer"), answeredAt === undefined ? "" : duration(Date.now() - answeredAt));
  }

  #press(name, is, text) {
    this.#part(name).setAttribute("aria-pressed", String(is));
    write(this.#part(name), text);
  }

  #opens(button, part) {
    this.#part(button).addEventListener("click", () => {
      const area = this.#part(part);
      area.hidden = !area.hidden;
      this.#part(button).setAttribute("aria-expanded", String(!area.hidden));
      if (!area.hidden) area.querySelector("input, button").focus();
    });
  }

  /** Whom the call can be connected with. */
  #choices() {
    const others = this.#calls.others.filter((each) => each !== this.#call);
    const place = this.#part("choices");
    const names = others.map(({ peer }) => peer.name).join("\n");
    if (place.dataset.names === names) return;
    place.dataset.names = names;
    for (const old of place.querySelectorAll(".connect")) old.remove();
    for (const other of others) {
      const button = document.createElement("button");
      Object.assign(button, {
        type: "button",
        className: "connect",
        textContent: `Connect with ${other.peer.name}`,
      });
      button.addEventListener("click", () => this.attempt(() => this.#calls.connect(this.#call, other)));
      place.append(button);
    }
  }

  #pictures() {
    const { media, remoteStream } = this.#call;
    const [remote, own] = [this.#part("remote"), this.#part("self")];
    if (remoteStream !== undefined && remote.srcObject !== remoteStream) {
      remote.srcObject = remoteStream;
      void this.devices.playOn(remote);
    }
    const shows = remoteStream
      ?.getVideoTracks()
      .some(({ muted, readyState }) => !muted && readyState === "live");
    remote.muted = media.isHeld;
    own.hidden = media.camera === undefined;
    const [shownTrack] = own.srcObject?.getTracks() ?? [];
    if (shownTrack !== media.camera)
      own.srcObject = media.camera === undefined ? null : new MediaStream([media.camera]);
    this.#part("pictures").hidden = !shows && media.camera === undefined;
  }
}

/** State of a call in words. */
export function stateWords({ state, media, isOutgoing, hasEarlyMedia, answeredAt }) {
  if (state === "calling") return "Calling…";
  if (state === "ringing") return hasEarlyMedia ? "Calling…" : "It rings there…";
  if (state === "incoming") return "Calls you";
  if (media.isHeld && media.isRemoteHeld) return "Held by both";
  if (media.isHeld) return "Held";
  if (media.isRemoteHeld) return "They hold you";
  return isOutgoing || answeredAt !== undefined ? "Talking" : "";
}

function noteOf({ divertedBy, problem, transfer, state }) {
  const notes = [];
  if (divertedBy !== "" && state === "incoming") notes.push(`Sent on by ${divertedBy}.`);
  if (problem === "media")
    notes.push(
      "No way for sound was found between the phones: a firewall may be in it, or there is no TURN server.",
    );
  if (transfer?.state === "asked" || transfer?.state === "trying") notes.push("Transferring…");
  if (transfer?.state === "failed")
    notes.push(
      `The transfer did not work. ${transfer.status === 0 ? "" : statusWords(transfer.status)}`.trim(),
    );
  return notes.join(" ");
}
