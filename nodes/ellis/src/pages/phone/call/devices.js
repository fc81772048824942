const KEY = "phone-devices";

/** Microphone, camera and speaker that the user has chosen; kept in the browser. */
export class Devices {
  #chosen = new Map();

  constructor(storage) {
    this.storage = storage;
    try {
      const kept = JSON.parse(storage.getItem(KEY) ?? "{}");
      for (const kind of ["audioinput", "videoinput", "audiooutput"])
        if (typeof kept[kind] === "string") this.#chosen.set(kind, kept[kind]);
    } catch {
      // What others have written there is not ours.
    }
  }

  chosen(kind) {
    return this.#chosen.get(kind) ?? "";
  }

  choose(kind, id) {
    this.#chosen.set(kind, id);
    this.storage.setItem(KEY, JSON.stringify(Object.fromEntries(this.#chosen)));
  }

  /** Devices of a kind by name; without the user's leave browsers name none. */
  async list(kind) {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    return all.filter((device) => device.kind === kind && device.deviceId !== "");
  }

  microphone() {
    const audio = { echoCancellation: true, noiseSuppression: true, ...this.#wish("audioinput") };
    return this.#track({ audio });
  }

  camera() {
    return this.#track({
      video: { width: { ideal: 640 }, height: { ideal: 480 }, ...this.#wish("videoinput") },
    });
  }

  /** Plays an element on the chosen speaker, where the browser can. */
  async playOn(element) {
    const id = this.chosen("audiooutput");
    if (id === "" || element.setSinkId === undefined) return;
    await element.setSinkId(id).catch(() => element.setSinkId(""));
  }

  #wish(kind) {
    const id = this.chosen(kind);
    return id === "" ? {} : { deviceId: { ideal: id } };
  }

  async #track(constraints) {
    if (navigator.mediaDevices === undefined)
      throw new DOMException("no devices outside of a secure context", "SecurityError");
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    return stream.getTracks()[0];
  }
}
