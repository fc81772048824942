import { byId } from "./dom.js";

/** Choice of devices. `changed` hears of another microphone or camera. */
export function settingsView({ devices, tones, changed }) {
  const form = byId("devices");

  async function update() {
    for (const kind of ["audioinput", "videoinput", "audiooutput"]) {
      const select = form.elements[kind];
      const all = await devices.list(kind);
      const named = all.map(({ deviceId, label }, at) => new Option(label || `Number ${at + 1}`, deviceId));
      select.replaceChildren(new Option("As the browser has it", ""), ...named);
      select.value = devices.chosen(kind);
      if (select.selectedIndex < 0) select.selectedIndex = 0;
    }
  }

  form.addEventListener("change", ({ target }) => {
    if (target.name === "silent") {
      tones.isSilent = target.checked;
      return;
    }
    devices.choose(target.name, target.value);
    changed();
  });
  navigator.mediaDevices?.addEventListener("devicechange", () => void update());
  return { update };
}
