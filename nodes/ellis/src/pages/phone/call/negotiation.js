import { agreedSessionExpires, answerSessionExpires, LEAST_S, sessionExpires } from "../sip/session-timer.js";

const PENDING = 491;
const LONGEST_RETRY_S = 10;

/** Offers and answers inside a call (RFC 3261 §14, RFC 3264 §8, RFC 3311): one at a time, ours wait for each other. */
export class Negotiation {
  #call;
  #changed;
  #last = Promise.resolve();
  #isBusy = false;
  #answers = false;
  #awaitsAnswer = false;
  #waiting = [];

  constructor(call, changed) {
    this.#call = call;
    this.#changed = changed;
  }

  /** A re-INVITE with what the media are to be now. Rejects when the other side does not take it. */
  offer(options = {}) {
    const turn = this.#last.then(() => this.#offer(options));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Holds (a=sendonly, RFC 3264 §8.4) or takes back. */
  async hold(is) {
    const { media } = this.#call;
    if (media.isHeld === is) return;
    media.isHeld = is;
    this.#changed();
    try {
      await this.offer();
    } catch (error) {
      media.isHeld = !is;
      this.#changed();
      throw error;
    }
  }

  /** The session goes on for another interval (RFC 4028 §10): by UPDATE where the other side takes it. */
  refresh() {
    const call = this.#call;
    const { dialog, own } = call;
    if (!call.canBeUpdated) return void this.offer().catch(() => {});
    const request = dialog.request("UPDATE");
    request.set("Session-Expires", `${own.interval};refresher=uac`).set("Min-SE", LEAST_S);
    dialog.send(request, (response) => {
      if (response.status < 200) return;
      if (response.status < 300) return own.timer.start(agreedSessionExpires(response));
      if ([408, 481].includes(response.status) && !response.local)
        call.hangUp({ by: "network", kind: "expired" });
      else own.timer.start({ seconds: LEAST_S, isOurs: true });
    });
  }

  /** INVITE or UPDATE of the other side. */
  async receive(transaction) {
    const { request } = transaction;
    const call = this.#call;
    const asked = sessionExpires(request);
    if (asked !== undefined && asked.seconds < LEAST_S)
      return transaction.respond(422, (response) => response.set("Min-SE", LEAST_S));
    if (request.method === "UPDATE" && request.body === "") return this.#accept(transaction, "");
    // §14.2, RFC 3311 §5.2: theirs meets another one of theirs, or one of ours.
    if (this.#answers)
      return transaction.respond(500, (response) =>
        response.set("Retry-After", Math.floor(Math.random() * (LONGEST_RETRY_S + 1))),
      );
    if (this.#isBusy || this.#awaitsAnswer) return transaction.respond(PENDING);
    this.#isBusy = true;
    this.#answers = true;
    try {
      const offers = request.body === "";
      const sdp = offers ? await call.media.offer() : await call.media.answer(request.body);
      const response = this.#accept(transaction, sdp);
      this.#awaitsAnswer = offers;
      if (request.method === "INVITE") call.expectAck(response);
    } catch {
      await call.media.takeBack().catch(() => {});
      transaction.respond(488);
    } finally {
      this.#isBusy = false;
      this.#answers = false;
      this.#settled();
      this.#changed();
    }
  }

  /** Our 2xx to an INVITE without an offer has had one. */
  expectAnswer() {
    this.#awaitsAnswer = true;
  }

  /** The ACK of an INVITE that had no offer brings the answer. */
  async acknowledged(ack) {
    if (!this.#awaitsAnswer) return;
    this.#awaitsAnswer = false;
    this.#isBusy = true;
    await this.#call.media.accept(ack.body).catch(() => {
      this.#call.hangUp({ by: "us", kind: "codec", status: 488 });
    });
    this.#isBusy = false;
    this.#settled();
    this.#changed();
  }

  #accept(transaction, sdp) {
    const { timer, contact, allow, supported } = this.#call.own;
    return transaction.respond(200, (response) => {
      response.set("Contact", contact).set("Allow", allow).set("Supported", supported);
      const agreed = answerSessionExpires(transaction.request, response);
      if (agreed !== undefined) timer.start(agreed);
      if (sdp !== "") response.withBody("application/sdp", sdp);
    });
  }

  async #offer(options, tries = 3) {
    const call = this.#call;
    await this.#theirs();
    if (call.state !== "active") return;
    this.#isBusy = true;
    let response;
    try {
      const sdp = await call.media.offer(options);
      response = await this.#invite(sdp);
      if (response.status < 300) await call.media.accept(response.body);
      else await call.media.takeBack();
    } finally {
      this.#isBusy = false;
    }
    this.#changed();
    if (response.status < 300) return;
    if (response.status === PENDING && tries > 0) {
      // §14.1: who has made the Call-ID waits longer.
      const wait = call.isOutgoing ? 2_100 + Math.random() * 1_900 : Math.random() * 2_000;
      await new Promise((resolve) => setTimeout(resolve, wait));
      return this.#offer(options, tries - 1);
    }
    if (response.status === 481) call.hangUp({ by: "network", kind: "status", status: 481 });
    throw Object.assign(new Error(`${response.status} ${response.reason}`), { sipStatus: response.status });
  }

  /** While an offer of the other side is not answered, or its answer is to come, we make none (RFC 3264 §4). */
  async #theirs() {
    while (this.#isBusy || this.#awaitsAnswer) await new Promise((go) => this.#waiting.push(go));
  }

  #settled() {
    for (const go of this.#waiting.splice(0)) go();
  }

  #invite(sdp) {
    const { dialog, own } = this.#call;
    const request = dialog.request("INVITE").withBody("application/sdp", sdp);
    request.set("Session-Expires", own.interval).set("Min-SE", LEAST_S);
    return new Promise((resolve) => {
      const client = dialog.send(request, (response) => {
        if (response.status < 200) return;
        if (response.status < 300) {
          dialog.retarget(response);
          dialog.acknowledge(client.request);
          own.timer.start(agreedSessionExpires(response));
        }
        resolve(response);
      });
    });
  }
}
