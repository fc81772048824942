import { nameAddr, withoutHeaders } from "../sip/header.js";

const SIPFRAG = "message/sipfrag;version=2.0";

/** Sends the other side on to somebody (RFC 3515, RFC 5589). `state`: "asked", "trying", "done", "failed". */
export class Transfer {
  state = "asked";
  status = 0;
  #call;
  #impu;
  #changed;
  #other;

  constructor(call, impu, changed) {
    this.#call = call;
    this.#impu = impu;
    this.#changed = changed;
  }

  async start(uri, other) {
    this.#other = other;
    await this.#call.negotiation.hold(true).catch(() => {});
    const { dialog } = this.#call;
    const replaces = other === undefined ? "" : `?Replaces=${encodeURIComponent(other.dialog.replaces)}`;
    const refer = dialog.request("REFER");
    refer.set("Refer-To", `<${uri}${replaces}>`).set("Referred-By", `<${this.#impu}>`);
    dialog.send(refer, (response) => {
      if (response.status < 200) return;
      if (response.status < 300) this.#go("trying");
      else this.#go("failed", response.status);
    });
    this.#changed();
  }

  /** What has become of it, as the first line of a response. */
  notified(request) {
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(request.body)?.[1] ?? 0);
    if (status >= 300) this.#go("failed", status);
    else if (status >= 200) {
      this.#go("done");
      this.#call.hangUp({ by: "us", kind: "transferred" });
      this.#other?.hangUp({ by: "us", kind: "transferred" });
    } else if (/^terminated/i.test(request.get("Subscription-State"))) this.#go("failed", 0);
  }

  #go(state, status = 0) {
    if (this.state === "done" || this.state === "failed") return;
    this.state = state;
    this.status = status;
    this.#changed();
  }
}

/** A REFER that came: nobody is called before the user agrees, for it may cost. The other side hears how it goes (RFC 3515 §2.4.4). */
export class ReferredCall {
  uri;
  /** Headers of the INVITE. */
  fields;
  by;
  #call;
  #event;

  static receive(call, transaction, told) {
    const { request } = transaction;
    const to = nameAddr(request.get("Refer-To")).uri;
    if (request.lines("Refer-To").length !== 1 || !/^(?:sips?|tel):/i.test(to))
      return transaction.respond(400);
    transaction.respond(202, (response) => response.set("Contact", call.own.contact));
    const referral = new ReferredCall();
    referral.uri = withoutHeaders(to);
    const replaces = /[?&]Replaces=([^&]*)/i.exec(to)?.[1];
    const by = request.get("Referred-By");
    referral.fields = [
      ...(replaces === undefined ? [] : [["Replaces", decodeURIComponent(replaces)]]),
      ...(by === "" ? [] : [["Referred-By", by]]),
    ];
    referral.isAttended = replaces !== undefined;
    referral.by = call.peer.name;
    referral.#call = call;
    referral.#event = `refer;id=${request.cseq.number}`;
    referral.#notify(100, "Trying");
    told(referral);
  }

  /** Of the call that was made of it. */
  follow(call) {
    if (call.state === "active") this.#notify(200, "OK");
    else if (call.state === "ended") this.#notify(call.end.status >= 300 ? call.end.status : 487, "Failed");
    else return false;
    return true;
  }

  decline() {
    this.#notify(603, "Decline");
  }

  #notify(status, reason) {
    const call = this.#call;
    if (call.state !== "active") return;
    const notify = call.dialog.request("NOTIFY").set("Event", this.#event).set("Contact", call.own.contact);
    notify.set("Subscription-State", status < 200 ? "active;expires=180" : "terminated;reason=noresource");
    call.dialog.send(notify.withBody(SIPFRAG, `SIP/2.0 ${status} ${reason}\r\n`));
  }
}
