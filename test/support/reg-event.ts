import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseRegInfo } from "@ims/ims";
import { responseTo, type SipMessage } from "@ims/sip";
import type { SipUe } from "./sip-ue.ts";

const SCHEMA = join(import.meta.dirname, "reginfo.xsd");

/** Is the validator of libxml2 there? */
export function hasXmllint(): boolean {
  return spawnSync("xmllint", ["--version"], { stdio: "ignore" }).error === undefined;
}

/** Subscribes a registered UE to its own registration; the 200 and the first NOTIFY, which is answered. */
export async function subscribeTo(
  ue: SipUe,
  options: { readonly expires?: number; readonly about?: string } = {},
): Promise<{ readonly ok: SipMessage; readonly notify: SipMessage }> {
  const about = options.about ?? ue.impu;
  const subscribe = ue.request("SUBSCRIBE", about, { callId: `${ue.callId}-reg` });
  for (const route of ue.serviceRoute) subscribe.append("Route", route);
  subscribe.append("Event", "reg").append("Accept", "application/reginfo+xml").append("Contact", ue.contact);
  subscribe.append("Expires", String(options.expires ?? 600_000));
  ue.send(subscribe);
  const ok = await ue.final("SUBSCRIBE");
  assert.equal(ok.status, 200, String(ok));
  return { ok, notify: await notified(ue) };
}

/** The next NOTIFY of a UE; it is answered, and its document is what the schema says. */
export async function notified(ue: SipUe, timeoutMs = 15_000): Promise<SipMessage> {
  const notify = await ue.incoming("NOTIFY", timeoutMs);
  ue.send(responseTo(notify, 200));
  if (notify.body !== "") assertValid(notify);
  return notify;
}

function assertValid(notify: SipMessage): void {
  assert.equal(notify.header("Content-Type"), "application/reginfo+xml");
  const { status, stderr } = spawnSync("xmllint", ["--noout", "--nonet", "--schema", SCHEMA, "-"], {
    input: Buffer.from(notify.body, "latin1"),
    encoding: "utf8",
  });
  assert.equal(status, 0, `${stderr}\n${notify.body}`);
}

/** "<aor> <state>: <event> of each contact, and of what instance or port". */
export function told(notify: SipMessage): string[] {
  const read = parseRegInfo(Buffer.from(notify.body, "latin1").toString());
  if (read.kind !== "parsed") assert.fail(read.reason);
  return read.regInfo.registrations.map(({ aor, state, contacts }) => {
    const each = contacts.map(({ uri, event }) => `${event} ${/:(\d+)(?:;|$)/.exec(uri)?.[1]}`);
    return `${aor} ${state}: ${each.join(", ")}`;
  });
}
