import assert from "node:assert/strict";
import { parseRegInfo, type RegInfo } from "@ims/ims";
import type { SipMessage } from "@ims/sip";
import { type Bench, SCSCF } from "./bench.ts";

/** The P-CSCF in the path of the dialog: what is sent to the subscriber leaves on b.dialled(). */
export const RECORD_ROUTE = "<sip:mark@127.0.0.1:5058;transport=tcp;lr>";

export interface SubscribeFields {
  /** Whom it asks about. */
  readonly about?: string;
  /** P-Asserted-Identity; null: none. */
  readonly from?: string | null;
  readonly expires?: number;
  readonly callId?: string;
  readonly cseq?: number;
  /** To tag and Request-URI of a request inside the dialog. */
  readonly inDialog?: SipMessage;
  readonly event?: string;
  readonly contact?: string;
  readonly headers?: readonly string[];
  /** Null: none, as of a P-CSCF or an application server. */
  readonly route?: string | null;
}

/** A SUBSCRIBE as it arrives from the P-CSCF. */
export function subscribe(b: Bench, fields: SubscribeFields = {}): string {
  const about = fields.about ?? "sip:alice@example.com";
  const { inDialog } = fields;
  const contact = /<([^>]+)>/.exec(inDialog?.header("Contact") ?? "")?.[1];
  const from = fields.from === undefined ? "sip:alice@example.com" : fields.from;
  const route = fields.route === undefined ? `<${SCSCF};lr;orig>` : fields.route;
  return b.request("SUBSCRIBE", {
    uri: contact ?? about,
    to: about,
    from: from ?? about,
    callId: fields.callId ?? "subscription",
    cseq: fields.cseq ?? 1,
    ...(inDialog === undefined ? {} : { toTag: inDialog.toTag }),
    headers: [
      ...(route === null || inDialog !== undefined ? [] : [`Route: ${route}`]),
      ...(inDialog === undefined ? [`Record-Route: ${RECORD_ROUTE}`] : []),
      ...(from === null ? [] : [`P-Asserted-Identity: <${from}>`]),
      `Event: ${fields.event ?? "reg"}`,
      "Accept: application/reginfo+xml",
      `Contact: ${fields.contact ?? "<sip:alice@192.0.2.1:5060>"}`,
      ...(fields.expires === undefined ? [] : [`Expires: ${fields.expires}`]),
      ...(fields.headers ?? []),
    ],
  });
}

export function notifies(left: readonly SipMessage[]): SipMessage[] {
  return left.filter((one) => one.method === "NOTIFY");
}

/** The document of a NOTIFY. */
export function documentOf(notify: SipMessage | undefined): RegInfo {
  assert.equal(notify?.header("Content-Type"), "application/reginfo+xml");
  const read = parseRegInfo(Buffer.from(notify?.body ?? "", "latin1").toString());
  return read.kind === "parsed" ? read.regInfo : assert.fail(`${read.reason}: ${notify}`);
}

/** "<aor> <state>: <contact> <state> <event>, ...", a line for each registration. */
export function told(notify: SipMessage | undefined): string[] {
  return documentOf(notify).registrations.map(({ aor, state, contacts }) => {
    const each = contacts.map((one) => `${one.uri} ${one.state} ${one.event}`);
    return `${aor} ${state}: ${each.join(", ")}`;
  });
}

/** Subscribes, and answers the first NOTIFY; the 200 and that NOTIFY. */
export async function subscribed(
  b: Bench,
  fields: SubscribeFields = {},
): Promise<{ ok: SipMessage; notify: SipMessage }> {
  const left = await b.send(subscribe(b, fields), b.toScscf);
  const ok = left.find(({ status }) => status > 0);
  const [notify] = notifies(left);
  assert.equal(ok?.status, 200, String(ok));
  assert.ok(ok && notify);
  assert.deepEqual(await b.send(b.answer(notify, 200), b.dialled()), []);
  return { ok, notify };
}
