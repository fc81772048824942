import { readDocument, writeDocument } from "../../api.js";
import { settingsOf, withSettings } from "../../services.js";
import { el, form, part } from "../elements.js";
import { pathOf } from "./path.js";

/** Settings of telephony services (simservs documents at homer), by public identity. */
export function settingsPart({ impi, publicIdentities }, portal) {
  const open = publicIdentities.filter(({ barred }) => !barred);
  return part("Settings of services", ...open.map(({ impu }) => settingsOfOne(impi, impu, portal)));
}

function settingsOfOne(impi, impu, portal) {
  const path = `${pathOf(impi)}/simservs/${encodeURIComponent(impu)}`;
  const may = portal.may("operator");
  const check = () => el("input", { type: "checkbox", disabled: !may });
  const [hide, incoming, outgoing] = [check(), check(), check()];
  const divert = el("input", { disabled: !may, autocomplete: "off" });
  const xml = el("textarea", { rows: "10", spellcheck: "false", readonly: true });
  const labelled = (input, text) => el("label", { class: "check" }, input, ` ${text}`);
  const editing = form(
    portal,
    async () => {
      // Read again: a phone may have changed something meanwhile.
      const document = withSettings(await readDocument(path), {
        ...{ hide: hide.checked, incoming: incoming.checked, outgoing: outgoing.checked },
        divert: divert.value.trim(),
      });
      await writeDocument(path, document);
      await load();
      return `The settings of ${impu} are saved.`;
    },
    labelled(hide, "hide the number from who is called (OIR)"),
    labelled(incoming, "let no calls in (ICB)"),
    labelled(outgoing, "let no calls out (OCB)"),
    el("label", {}, "Send all calls to this SIP or tel URI; empty: nowhere (CFU) ", divert),
    el("label", {}, "All of the document ", xml),
    ...(may ? [el("button", { type: "submit" }, "Save")] : []),
  );
  editing.hidden = true;
  const details = el("details", {}, el("summary", {}, impu), editing);
  details.addEventListener("toggle", () => {
    if (details.open && editing.hidden) void portal.attempt(load);
  });
  return details;

  async function load() {
    xml.value = await readDocument(path);
    const settings = settingsOf(xml.value);
    hide.checked = settings.hide;
    incoming.checked = settings.incoming;
    outgoing.checked = settings.outgoing;
    divert.value = settings.divert;
    editing.hidden = false;
  }
}
