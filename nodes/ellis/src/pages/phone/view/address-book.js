import { ask } from "../../api.js";
import { byId, made } from "./dom.js";

/** Numbers of the address book but our own, as proposals where a number is typed. */
export async function addressBook(own) {
  let contacts = [];
  try {
    ({ contacts } = await ask("GET", "/gab"));
  } catch {
    // Without it one has to type.
  }
  const proposals = contacts.flatMap(({ full_name: name, numbers }) =>
    numbers
      .filter((uri) => uri !== own)
      .map((uri) => Object.assign(made("option", name), { value: uri.replace(/^sip:/, "") })),
  );
  byId("book").replaceChildren(...proposals);
}
