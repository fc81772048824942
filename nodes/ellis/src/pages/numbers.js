import { accountPath, ask, readDocument, writeDocument } from "./api.js";
import { settingsOf, withSettings } from "./services.js";

const list = document.getElementById("list");
const template = document.getElementById("number");

/** The numbers of an account. `attempt` runs what a button does and says what went wrong. */
export function numbersOf(email, attempt) {
  const path = `${accountPath(email)}/numbers`;
  let phone;

  async function load(shown = new Map()) {
    phone ??= await ask("GET", "/phone/configuration");
    const { numbers } = await ask("GET", path);
    document.getElementById("none").hidden = numbers.length > 0;
    list.replaceChildren(...numbers.map((number) => item(number, shown.get(number.sip_uri))));
  }

  async function allocate(fields) {
    const number = await ask("POST", path, fields);
    await load(new Map([[number.sip_uri, number.sip_password]]));
  }

  function item(number, password) {
    const { sip_uri: uri, private_id: privateId } = number;
    const element = template.content.firstElementChild.cloneNode(true);
    const part = (name) => element.querySelector(name);
    const own = `${path}/${encodeURIComponent(uri)}`;
    part(".formatted").textContent = number.formatted_number;
    part(".uri").textContent = uri;
    part(".private-id").textContent = privateId;
    showPassword(element, password);
    part(".listed").checked = number.gab_listed === 1;
    part(".listed").addEventListener("change", ({ target }) =>
      attempt(() => ask("PUT", `${own}/listed/${target.checked ? 1 : 0}`)),
    );
    part(".new-password").addEventListener("click", () =>
      attempt(async () => showPassword(element, (await ask("POST", `${own}/password`)).sip_password)),
    );
    phoneLink(part("a.phone"), uri, part(".password"));
    part(".another").addEventListener("click", () => attempt(() => allocate({ private_id: privateId })));
    part(".delete").addEventListener("click", () => {
      if (!confirm(`Delete ${number.formatted_number}?`)) return;
      attempt(async () => {
        await ask("DELETE", own);
        await load();
      });
    });
    services(part(".services"), `${own}/simservs`, number.domain);
    return element;
  }

  /** The phone in the browser; a password that is shown here it takes along, in this tab. */
  function phoneLink(link, uri, password) {
    link.hidden = phone.servers.length === 0;
    link.href = `/phone?number=${encodeURIComponent(uri)}`;
    link.addEventListener("click", () => {
      if (password.textContent !== "") sessionStorage.setItem(`phone-password ${uri}`, password.textContent);
    });
  }

  function services(details, document, domain) {
    const form = details.querySelector("form");
    const { hide, incoming, outgoing, divert } = form.elements;
    details.addEventListener("toggle", () => {
      if (!details.open) return;
      // Nobody changes what is about to be filled in.
      form.hidden = true;
      attempt(async () => {
        const settings = settingsOf(await readDocument(document));
        hide.checked = settings.hide;
        incoming.checked = settings.incoming;
        outgoing.checked = settings.outgoing;
        divert.value = settings.divert;
        form.hidden = false;
      });
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      attempt(async () => {
        // Read again: a phone may have changed something meanwhile.
        const xml = withSettings(await readDocument(document), {
          hide: hide.checked,
          incoming: incoming.checked,
          outgoing: outgoing.checked,
          divert: uriOf(divert.value.trim(), domain),
        });
        await writeDocument(document, xml);
        return "Saved.";
      });
    });
  }

  return { load, allocate };
}

/** The global address book. */
export async function showContacts() {
  const { contacts } = await ask("GET", "/gab");
  document.getElementById("contacts").replaceChildren(
    ...contacts.map(({ full_name: name, numbers }) => {
      const contact = document.createElement("li");
      contact.textContent = `${name}: ${numbers.join(", ")}`;
      return contact;
    }),
  );
}

function showPassword(element, password) {
  for (const each of element.querySelectorAll(".password-row")) each.hidden = password === undefined;
  element.querySelector(".password").textContent = password ?? "";
}

function uriOf(text, domain) {
  if (text === "" || /^(?:sips?|tel):/i.test(text)) return text;
  return text.includes("@") ? `sip:${text}` : `sip:${text.replace(/[\s().-]/g, "")}@${domain}`;
}
