import { accountPath, ask as request } from "../api.js";
import { byId } from "./view/dom.js";
import { ask } from "./view/incoming.js";

/** Of the tab: what was signed on with, so that a reload goes on; and a password that the portal has just shown. */
const KEY = "phone-user";
const REFUSAL = "phone-refusal";
const BY_HAND = "by hand";

export function keptUser() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

export function keepUser(user) {
  if (user === undefined) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify(user));
}

/** The network does not take what was signed on with: the page begins anew, and says why. */
export function leaveRefused({ impu }, words) {
  keepUser(undefined);
  sessionStorage.setItem(REFUSAL, words);
  location.replace(`/phone?number=${encodeURIComponent(impu)}`);
}

/** Why the page has begun anew; empty when it has not. */
export function takeRefusal() {
  const words = sessionStorage.getItem(REFUSAL) ?? "";
  sessionStorage.removeItem(REFUSAL);
  return words;
}

/** The form that asks for number and password. `signOn` gets the user; `attempt` says what went wrong. */
export function signOnForm({ email, numbers, domain, wanted }, { signOn, attempt }) {
  const form = byId("credentials");
  const { number, password, impu, impi } = form.elements;
  number.replaceChildren(
    ...numbers.map((one) => new Option(one.formatted_number, one.sip_uri)),
    new Option("Another one, written by hand", BY_HAND),
  );
  if (numbers.some(({ sip_uri: uri }) => uri === wanted)) number.value = wanted;
  const show = () => {
    const isByHand = number.value === BY_HAND;
    byId("by-hand").hidden = !isByHand;
    byId("new-password").hidden = isByHand;
    impu.required = isByHand;
    const handed = `phone-password ${number.value}`;
    password.value = sessionStorage.getItem(handed) ?? "";
    sessionStorage.removeItem(handed);
  };
  number.addEventListener("change", show);
  show();

  const userOf = (secret) => {
    if (number.value !== BY_HAND) {
      const { sip_uri: uri, private_id: privateId } = numbers.find((one) => one.sip_uri === number.value);
      return { impu: uri, impi: privateId, domain, password: secret };
    }
    const uri = /^sips?:/i.test(impu.value) ? impu.value.trim() : `sip:${impu.value.trim()}`;
    const [, user, host] = /^sips?:([^@\s<>"]+)@([^@\s<>";]+)$/i.exec(uri) ?? [];
    if (user === undefined) throw new Error("Write the SIP address as sip:alice@example.com.");
    return { impu: uri, impi: impi.value.trim() || `${user}@${host}`, domain: host, password: secret };
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(() => {
      const user = userOf(password.value);
      password.value = "";
      signOn(user);
    });
  });
  byId("new-password").addEventListener("click", () =>
    attempt(async () => {
      const uri = number.value;
      const agreed = await ask(
        "Make a new password? Other phones with this number need it too: until they have it they cannot register.",
      );
      if (!agreed) return;
      const path = `${accountPath(email)}/numbers/${encodeURIComponent(uri)}/password`;
      signOn(userOf((await request("POST", path)).sip_password));
    }),
  );
}
