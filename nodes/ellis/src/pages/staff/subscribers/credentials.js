import { el, field } from "../elements.js";

const hex = (input) => input.value.replace(/[\s:-]/g, "");

/** Undefined: good. */
function hexFault(name, text, octets) {
  if (text === "") return `${name} is missing`;
  if (!/^[0-9A-Fa-f]*$/.test(text)) return `${name} has hexadecimal digits only: 0 to 9 and A to F`;
  const digits = octets * 2;
  return text.length === digits
    ? undefined
    : `${name} has ${digits} hexadecimal digits; these are ${text.length}`;
}

/** Fields for what a subscriber proves itself with. `read()` gives the credentials, or undefined when a field is wrong and says so. */
export function credentialFields() {
  const secret = (attributes = {}) =>
    el("input", { autocomplete: "off", autocapitalize: "off", spellcheck: "false", ...attributes });
  const kinds = el(
    "select",
    {},
    el("option", { value: "sim" }, "a SIM (USIM or ISIM)"),
    el("option", { value: "password" }, "a password"),
    el("option", { value: "both" }, "a SIM or a password"),
  );
  const kind = field("Proves itself by", kinds);
  const k = field("K, the key of the SIM", secret({ name: "k" }), "32 hexadecimal digits");
  const variants = el(
    "select",
    { name: "variant" },
    el("option", { value: "opc" }, "OPc"),
    el("option", { value: "op" }, "OP"),
  );
  const variant = field(
    "The next value is",
    variants,
    "OPc is made for one SIM, of OP and K; OP is one value for all SIMs of an operator. One taken for the other: no SIM can register.",
  );
  const code = field("OPc or OP", secret({ name: "code" }), "32 hexadecimal digits");
  const amf = field("AMF", secret({ name: "amf", value: "8000" }), "4 hexadecimal digits, 8000 as a rule");
  const sqn = field(
    "SQN used last",
    secret({ name: "sqn", value: "000000000000" }),
    "12 hexadecimal digits; 0 for a SIM that was never used elsewhere",
  );
  const password = field("Password (SIP Digest)", secret({ name: "password", maxlength: "128" }));
  const sim = el("div", {}, k.element, variant.element, code.element, amf.element, sqn.element);
  const element = el("fieldset", {}, el("legend", {}, "Credentials"), kind.element, sim, password.element);
  const shown = () => {
    sim.hidden = kinds.value === "password";
    password.element.hidden = kinds.value === "sim";
  };
  kinds.addEventListener("change", shown);
  shown();

  function read() {
    const given = {};
    const faults = [];
    const judge = (one, problem) => {
      one.judge(problem);
      if (problem !== undefined) faults.push(one.input);
    };
    if (!sim.hidden) {
      const name = variants.value === "op" ? "OP" : "OPc";
      for (const [one, label, octets, key] of [
        [k, "K", 16, "k"],
        [code, name, 16, variants.value],
        [amf, "AMF", 2, "amf"],
        [sqn, "SQN", 6, "sqn"],
      ]) {
        given[key] = hex(one.input);
        judge(one, hexFault(label, given[key], octets));
      }
    }
    if (!password.element.hidden) {
      given.password = password.input.value;
      judge(password, given.password === "" ? "The password is missing" : undefined);
    }
    faults[0]?.focus();
    return faults.length === 0 ? given : undefined;
  }

  return {
    element,
    read,
    /** What the API says of them. */
    judge(detail) {
      for (const [name, one] of Object.entries({ k, op: code, opc: code, amf, sqn, password }))
        if (detail[`credentials.${name}`] !== undefined) one.judge(detail[`credentials.${name}`]);
    },
    clear() {
      for (const one of [k, code, password]) one.input.value = "";
    },
  };
}
