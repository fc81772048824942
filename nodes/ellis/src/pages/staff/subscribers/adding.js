import { el, field, form } from "../elements.js";
import { credentialFields } from "./credentials.js";

const list = (text) => text.split(/\s+/).filter((each) => each !== "");

/** A new subscriber. */
export function openAdding(root, portal) {
  const impi = field(
    "Private identity",
    el("input", { name: "impi", required: true, autocomplete: "off" }),
    "user@realm, such as 001010000000001@ims.mnc001.mcc001.3gppnetwork.org",
  );
  const impus = field(
    "Public identities",
    el("textarea", { name: "impus", rows: "3" }),
    "sip: and tel: URIs, one a line, registered together; empty: the private identity as a SIP URI",
  );
  const barred = field(
    "Barred public identities",
    el("textarea", { name: "barred", rows: "2" }),
    "may be registered with, and not be called or call by (TS 29.228)",
  );
  const credentials = credentialFields();

  async function add() {
    const name = impi.input.value.trim();
    const given = credentials.read();
    if (given === undefined) return "Nothing was added; see the marked fields.";
    const open = list(impus.input.value);
    const shut = list(barred.input.value).map((impu) => ({ impu, barred: true }));
    const publicIdentities = [
      ...(open.length === 0 ? [`sip:${name}`] : open).map((impu) => ({ impu })),
      ...shut,
    ];
    try {
      const added = await portal.ask("POST", "/staff/subscribers", {
        ...{ impi: name, publicIdentities, credentials: given },
      });
      portal.go("subscribers", added.impi);
    } catch (error) {
      judge(error.detail ?? {});
      throw error;
    }
    return `${name} is added.`;
  }

  function judge(detail) {
    const identities = Object.entries(detail).find(([key]) => key.startsWith("publicIdentities"));
    impi.judge(detail.impi);
    impus.judge(identities?.[1]);
    credentials.judge(detail);
  }

  root.append(
    el("h2", {}, "Add a subscriber"),
    form(
      portal,
      add,
      impi.element,
      impus.element,
      barred.element,
      credentials.element,
      el("button", { type: "submit" }, "Add"),
    ),
  );
  impi.input.focus();
}
