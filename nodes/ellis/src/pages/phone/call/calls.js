import { nameAddr, shown, targetOf } from "../sip/header.js";
import { LEAST_S, sessionExpires } from "../sip/session-timer.js";
import { Call } from "./call.js";
import { callerOf, divertedBy } from "./parties.js";

/** More than that ring at nobody. */
const MOST = 4;

/** The calls of a phone: one of them is talked in, the others are held, wait, or ring. `told`: changed(), ended(call), referred(call, referral). */
export class Calls {
  list = [];
  #agent;
  #newMedia;
  #told;

  constructor(agent, { newMedia }, told) {
    this.#agent = agent;
    this.#newMedia = newMedia;
    this.#told = told;
  }

  get ringing() {
    return this.list.filter(({ state }) => state === "incoming");
  }

  get others() {
    return this.list.filter(({ state }) => state === "active");
  }

  /** Calls what was typed; resolves with what is wrong with it, undefined when nothing is. Rejects without a microphone. */
  async dial(typed, { video = false, fields = [], name } = {}) {
    const { domain } = this.#agent.user;
    const uri = targetOf(typed, domain);
    if (uri === undefined)
      return { problem: "Write a number, a name or an address such as alice@example.com." };
    if (!this.#agent.registration.isRegistered)
      return { problem: "The phone is not registered; calls cannot be made now." };
    if (this.list.length >= MOST) return { problem: `More than ${MOST} calls at a time are too many.` };
    await this.#holdAllBut(undefined);
    const call = this.#add({ peer: { uri, name: name ?? shown(uri, domain) }, isOutgoing: true });
    await call.dial(uri, { video, fields });
    return { call };
  }

  /** An INVITE that came. */
  invited(transaction) {
    const { request } = transaction;
    const { user, registration } = this.#agent;
    const replaces = request.get("Replaces");
    const replaced = replaces === "" ? undefined : this.#replaced(replaces);
    if (replaces !== "" && replaced === undefined) return transaction.respond(481);
    if (replaced === undefined && this.list.length >= MOST) return transaction.respond(486);
    const asked = sessionExpires(request);
    if (asked !== undefined && asked.seconds < LEAST_S)
      return transaction.respond(422, (response) => response.set("Min-SE", LEAST_S));
    const own = [user.impu, ...registration.associated];
    const call = this.#add({ peer: callerOf(request, user.domain), isOutgoing: false });
    call.divertedBy = divertedBy(request, own, user.domain);
    call.ring(transaction);
    if (replaced === undefined) return this.#told.changed();
    // RFC 3891 §3: who has our tags was given them by one of the two that talk; nobody has to be asked.
    call.takesOver = replaced;
    const video = replaced.media.camera !== undefined;
    call.answer({ video }).then(
      () => call.state === "active" && replaced.hangUp({ by: "them", kind: "replaced" }),
      () => call.reject(480),
    );
  }

  async answer(call, { video = false } = {}) {
    await this.#holdAllBut(call);
    await call.answer({ video });
  }

  /** Talks in this call, the others are held. */
  async resume(call) {
    await this.#holdAllBut(call);
    await call.negotiation.hold(false);
  }

  /** Sends the other side on to a number that was typed. */
  transfer(call, typed) {
    const uri = targetOf(typed, this.#agent.user.domain);
    if (uri === undefined) throw new Error("Write to whom: a number, a name or an address.");
    return call.transferTo(uri);
  }

  /** Connects the other sides of two calls with each other. */
  connect(call, other) {
    return call.transferTo(other.peer.uri || other.dialog.target, other);
  }

  hangUpAll() {
    for (const call of [...this.list]) call.hangUp();
  }

  /** The new devices count in calls that are there too. */
  async changeDevices() {
    for (const call of this.others) await call.media.change();
  }

  #add(given) {
    const newMedia = this.#newMedia;
    const call = new Call(
      this.#agent,
      { ...given, newMedia },
      {
        changed: () => this.#told.changed(),
        ended: (ended) => this.#drop(ended),
        referred: (referring, referral) => this.#told.referred(referring, referral),
        message: (transaction) => this.#told.message(transaction),
      },
    );
    this.list.push(call);
    return call;
  }

  #drop(call) {
    if (!this.list.includes(call)) return;
    this.list = this.list.filter((each) => each !== call);
    this.#told.ended(call);
    this.#told.changed();
  }

  async #holdAllBut(one) {
    for (const call of this.others)
      if (call !== one && !call.media.isHeld) await call.negotiation.hold(true).catch(() => {});
  }

  /** RFC 3891 §3: to-tag is ours. */
  #replaced(value) {
    const { uri: callId, params } = nameAddr(value);
    return this.others.find(
      ({ dialog }) =>
        dialog.callId === callId &&
        dialog.localTag === params.get("to-tag") &&
        dialog.remoteTag === params.get("from-tag"),
    );
  }
}
