import { bindingsOf, type Told } from "./told.ts";

/** A rule and the time before each message of a SIPp trace (-trace_msg). */
const RULE = /^-{20,} *(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?).*$/;

/**
 * Adds what the 200s to REGISTERs in a message trace of SIPp say. Each lists every contact of the user (RFC 3261 §10.3 step 8):
 * what it does not list is removed. `zone` is the difference of SIPp's clock to UTC in ms.
 */
export function readSippTrace(text: string, told: Told, zone = 0): number {
  let at = 0;
  let message: string[] = [];
  let count = 0;
  const end = (): void => {
    if (at > 0 && readMessage(message, at, told)) count++;
    message = [];
  };
  for (const line of text.split(/\r?\n/)) {
    const rule = RULE.exec(line);
    if (rule === null) message.push(line);
    else {
      end();
      at = Date.parse(`${rule[1]}T${rule[2]}Z`) - zone;
    }
  }
  end();
  return count;
}

function readMessage(lines: readonly string[], at: number, told: Told): boolean {
  const start = lines.findIndex((line) => /^SIP\/2\.0 /.test(line));
  if (start < 0 || !/^SIP\/2\.0 200\b/.test(lines[start] ?? "")) return false;
  const contacts: string[] = [];
  let aor: string | undefined;
  let register = false;
  for (const line of lines.slice(start + 1)) {
    if (line === "") break;
    const [, name = "", value = ""] = /^([A-Za-z-]+)\s*:\s*(.*)$/.exec(line) ?? [];
    switch (name.toLowerCase()) {
      case "cseq":
        register = /\bREGISTER\s*$/.test(value);
        break;
      case "to":
      case "t":
        aor = /<([^>]+)>/.exec(value)?.[1] ?? value.split(";")[0]?.trim();
        break;
      case "contact":
      case "m":
        contacts.push(value);
    }
  }
  if (!register || aor === undefined) return false;
  const bindings = bindingsOf(told, aor);
  for (const [contact, before] of bindings)
    if (before.expiresAt > at)
      bindings.set(contact, { contact, expiresAt: 0, at, callId: undefined, cseq: undefined });
  for (const [, contact = "", parameters = ""] of contacts.join(",").matchAll(/<([^>]+)>([^,]*)/g)) {
    const expires = Number(/;\s*expires=(\d+)/i.exec(parameters)?.[1] ?? Number.NaN);
    if (Number.isFinite(expires))
      bindings.set(contact, {
        contact,
        expiresAt: at + expires * 1000,
        at,
        callId: undefined,
        cseq: undefined,
      });
  }
  return true;
}
