import { Dialog } from "../sip/dialog.js";
import { nameAddr } from "../sip/header.js";
import {
  agreedSessionExpires,
  answerSessionExpires,
  INTERVAL_S,
  LEAST_S,
  SessionTimer,
} from "../sip/session-timer.js";
import { TIMEOUT_MS } from "../sip/transactions.js";
import { hasVideo } from "./media.js";
import { Negotiation } from "./negotiation.js";
import { causeOf } from "./parties.js";
import { RepeatedAnswer } from "./repeated-answer.js";
import { ReferredCall, Transfer } from "./transfer.js";

/**
 * One call (RFC 3261 §13 to §15). `state`: "calling", "ringing", "incoming", "active", "ended". `told`: changed(call), ended(call),
 * referred(call, referral), message(transaction).
 */
export class Call {
  state;
  dialog;
  /** { uri, name } */
  peer;
  isOutgoing;
  /** Why it ended: { by: "us" | "them" | "network", status, kind }. */
  end;
  answeredAt;
  startedAt = Date.now();
  divertedBy = "";
  transfer;
  remoteStream;
  problem = "";
  #agent;
  #told;
  #invite;
  #client;
  #early = "";
  #answers;
  #isRinging = false;
  #isAnswering = false;
  #restarted = false;
  #interval = INTERVAL_S;
  #remoteAllow = [];

  /** `newMedia(told)` makes the Media of the call. */
  constructor(agent, { peer, isOutgoing, newMedia }, told) {
    this.#agent = agent;
    this.#told = told;
    this.peer = peer;
    this.isOutgoing = isOutgoing;
    this.media = newMedia({
      remote: (stream) => {
        this.remoteStream = stream;
        this.changed();
      },
      failed: () => void this.#mediaFailed(),
    });
    this.#answers = new RepeatedAnswer(agent.transport, () => {
      this.hangUp({ by: "network", kind: "unacknowledged" });
    });
    this.negotiation = new Negotiation(this, () => this.changed());
    this.timer = new SessionTimer({
      refresh: () => this.negotiation.refresh(),
      expired: () => this.hangUp({ by: "network", kind: "expired" }),
    });
  }

  changed() {
    if (this.state !== "ended") this.#told.changed(this);
  }

  /** What negotiation and transfer say of us. */
  get own() {
    const { contact, allow, supported } = this.#agent;
    return { contact, allow, supported, timer: this.timer, interval: this.#interval };
  }

  get canBeUpdated() {
    return this.#remoteAllow.includes("UPDATE");
  }

  /** Throws what the browser says when there is no microphone. `fields` are headers such as Replaces. */
  async dial(uri, { video = false, fields = [] } = {}) {
    this.state = "calling";
    this.#agent.sessions.add(this);
    try {
      await this.#open(video);
      if (this.state === "ended") return;
      const sdp = await this.media.offer();
      if (this.state === "ended") return;
      this.#sendInvite(uri, sdp, fields);
    } catch (error) {
      if (this.state !== "ended") this.#over({ by: "us", kind: "devices" });
      throw error;
    }
  }

  /** A call that came rings until it is answered or not. */
  ring(transaction) {
    const { request } = transaction;
    this.state = "incoming";
    this.#invite = transaction;
    this.#remoteAllow = request.values("Allow");
    this.offersVideo = hasVideo(request.body);
    transaction.onCancel = (cancel) => {
      transaction.respond(487);
      const isElsewhere = causeOf(cancel) === 200;
      this.#over({ by: "them", kind: isElsewhere ? "elsewhere" : "missed" });
    };
    this.#agent.sessions.add(this);
    transaction.respond(180, (response) => response.set("Contact", this.#agent.contact));
  }

  /** Throws what the browser says when there is no microphone: it goes on ringing then. */
  async answer({ video = false } = {}) {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    const transaction = this.#invite;
    const { request } = transaction;
    try {
      await this.#open(video);
    } catch (error) {
      this.#isAnswering = false;
      throw error;
    }
    if (this.state !== "incoming") return;
    let sdp;
    try {
      sdp = request.body === "" ? await this.media.offer() : await this.media.answer(request.body);
    } catch {
      return this.reject(488, { by: "us", kind: "codec", status: 488 });
    }
    if (this.state !== "incoming") return;
    this.dialog = Dialog.ofCallee(this.#agent, request, transaction.tag);
    const response = transaction.respond(200, (answer) => {
      answer.add("Record-Route", ...request.lines("Record-Route")).set("Contact", this.#agent.contact);
      answer.set("Allow", this.#agent.allow).set("Supported", this.#agent.supported);
      this.timer.start(answerSessionExpires(request, answer));
      answer.withBody("application/sdp", sdp);
    });
    if (request.body === "") this.negotiation.expectAnswer();
    this.#begin();
    this.#answers.start(String(response));
  }

  reject(status = 486, end = { by: "us", kind: "rejected" }) {
    this.#invite?.respond(status);
    this.#over(end);
  }

  hangUp(end = { by: "us", kind: "hungUp" }) {
    if (this.state === "ended") return;
    if (this.state === "incoming") return this.reject(486, end);
    if (this.state === "active") this.#bye();
    else if (this.#isRinging) this.#agent.transactions.cancel(this.#client);
    else this.#mustCancel = true;
    this.#over(end);
  }
  #mustCancel = false;

  /** DTMF; false when it could not be sent. */
  tone(key) {
    return this.media.tone(key);
  }

  /** Blind (RFC 5589 §6) or, with a call to whom it goes, attended (§7). */
  transferTo(uri, other) {
    this.transfer = new Transfer(this, this.#agent.user.impu, () => this.changed());
    return this.transfer.start(uri, other);
  }

  /** A request in the dialog. */
  receive(transaction) {
    const { request } = transaction;
    if (this.state === "ended" && request.method !== "BYE") return transaction.respond(481);
    switch (request.method) {
      case "BYE":
        transaction.respond(200);
        return this.#over({ by: "them", kind: "hungUp", status: causeOf(request) });
      case "INVITE":
      case "UPDATE":
        return void this.negotiation.receive(transaction);
      case "NOTIFY":
        transaction.respond(200);
        return this.transfer?.notified(request);
      case "REFER":
        return ReferredCall.receive(this, transaction, (referral) => this.#told.referred(this, referral));
      case "MESSAGE":
        return this.#told.message(transaction);
      default:
        transaction.respond(request.method === "OPTIONS" ? 200 : 405);
    }
  }

  acknowledged(ack) {
    this.#answers.stop();
    void this.negotiation.acknowledged(ack);
  }

  /** A 2xx of ours that has to be acknowledged: again and again until it is (§13.3.1.4). */
  expectAck(response) {
    this.#answers.start(String(response));
  }

  /** A call may be over before the user has let us have the microphone. */
  async #open(video) {
    await this.media.open({ video });
    if (this.state === "ended") this.media.close();
  }

  #sendInvite(uri, sdp, fields) {
    const request = this.#agent.newRequest("INVITE", uri);
    request.set("Contact", this.#agent.contact).set("Allow", this.#agent.allow);
    request.set("Supported", this.#agent.supported);
    request.set("Session-Expires", this.#interval).set("Min-SE", LEAST_S);
    for (const [name, value] of fields) request.set(name, value);
    request.withBody("application/sdp", sdp);
    this.#client = this.#agent.request(
      request,
      (response) => void this.#heard(response, { uri, sdp, fields }),
    );
  }

  async #heard(response, invite) {
    const { request } = this.#client;
    if (response.status < 200) return this.#ringing(response);
    if (response.status >= 300) {
      const least = Number(response.get("Min-SE"));
      if (response.status === 422 && least > this.#interval) {
        this.#interval = least;
        return this.#sendInvite(invite.uri, invite.sdp, invite.fields);
      }
      return this.#over({ by: response.local ? "network" : "them", kind: "status", status: response.status });
    }
    if (this.dialog?.has(response)) return this.dialog.acknowledge(request);
    const dialog = Dialog.ofCaller(this.#agent, request, response);
    dialog.acknowledge(request);
    // Another fork has answered too, or we have given up meanwhile (§13.2.2.4).
    if (this.state === "ended" || this.dialog !== undefined) return void dialog.send(dialog.request("BYE"));
    this.dialog = dialog;
    this.#remoteAllow = response.values("Allow");
    try {
      if (this.#early === "" || this.#early === dialog.remoteTag) await this.media.accept(response.body);
      else throw new Error("another fork than the one whose early media were played");
    } catch {
      this.#bye();
      return this.#over({ by: "us", kind: "codec", status: 488 });
    }
    if (this.state === "ended") return;
    this.timer.start(agreedSessionExpires(response));
    this.#begin();
  }

  #ringing(response) {
    this.#isRinging = true;
    if (this.#mustCancel) {
      this.#mustCancel = false;
      return this.#agent.transactions.cancel(this.#client);
    }
    if (this.state === "ended") return;
    if (response.status === 180) this.state = "ringing";
    const tag = nameAddr(response.get("To")).params.get("tag") ?? "";
    // Early media (RFC 3960) of the first fork that has some.
    if (response.mediaType === "application/sdp" && this.#early === "" && tag !== "") {
      this.#early = tag;
      this.hasEarlyMedia = true;
      this.media.accept(response.body, "pranswer").catch(() => {
        this.#early = "";
        this.hasEarlyMedia = false;
      });
    }
    this.changed();
  }

  #begin() {
    this.state = "active";
    this.answeredAt = Date.now();
    this.changed();
  }

  #bye() {
    this.dialog.send(this.dialog.request("BYE"));
  }

  /** New ways are looked for once; then the user is told. */
  async #mediaFailed() {
    if (this.state !== "active") return;
    this.problem = "media";
    this.changed();
    if (this.#restarted || !this.isOutgoing) return;
    this.#restarted = true;
    await this.negotiation.offer({ restart: true }).catch(() => {});
  }

  #over(end) {
    if (this.state === "ended") return;
    this.state = "ended";
    this.end = end;
    this.#answers.stop();
    this.timer.stop();
    this.media.close();
    // A 2xx that crosses our CANCEL finds the call a while longer.
    setTimeout(() => this.#agent.sessions.delete(this), TIMEOUT_MS);
    this.#told.ended(this);
  }
}
