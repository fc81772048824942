import { nameAddr } from "./header.js";
import { Message } from "./message.js";

/** A dialog (RFC 3261 §12), of one of its two sides. */
export class Dialog {
  #agent;

  constructor(agent, state) {
    this.#agent = agent;
    Object.assign(this, state);
  }

  /** Of who has sent the request: §12.1.2. */
  static ofCaller(agent, request, response) {
    return new Dialog(agent, {
      callId: request.get("Call-ID"),
      local: request.get("From"),
      remote: response.get("To"),
      localSequence: request.cseq.number,
      remoteSequence: undefined,
      target: nameAddr(response.get("Contact")).uri || request.uri,
      routes: response.values("Record-Route").reverse(),
    });
  }

  /** Of who has answered it: §12.1.1. */
  static ofCallee(agent, request, tag) {
    return new Dialog(agent, {
      callId: request.get("Call-ID"),
      local: `${request.get("To")};tag=${tag}`,
      remote: request.get("From"),
      localSequence: Math.floor(Math.random() * 10_000) + 1,
      remoteSequence: request.cseq.number,
      target: nameAddr(request.get("Contact")).uri,
      routes: request.values("Record-Route"),
    });
  }

  get localTag() {
    return nameAddr(this.local).params.get("tag") ?? "";
  }

  get remoteTag() {
    return nameAddr(this.remote).params.get("tag") ?? "";
  }

  /** What Replaces of the other side's new partner says of this dialog: RFC 3891 §3, seen from there. */
  get replaces() {
    return `${this.callId};to-tag=${this.remoteTag};from-tag=${this.localTag}`;
  }

  /** Whether a message that came belongs here. */
  has(message) {
    const [from, to] = ["From", "To"].map((name) => nameAddr(message.get(name)).params.get("tag") ?? "");
    const [mine, theirs] = message.method === undefined ? [from, to] : [to, from];
    return message.get("Call-ID") === this.callId && mine === this.localTag && theirs === this.remoteTag;
  }

  /** §12.2.2: false when the request is older than one seen before. */
  follow(request) {
    const { number } = request.cseq;
    if (request.method !== "ACK") {
      if (this.remoteSequence !== undefined && number <= this.remoteSequence) return false;
      this.remoteSequence = number;
    }
    if (request.method === "INVITE" || request.method === "UPDATE") this.retarget(request);
    return true;
  }

  /** Target refresh: §12.2.1.2. */
  retarget(message) {
    const { uri } = nameAddr(message.get("Contact"));
    if (uri !== "") this.target = uri;
  }

  /** A request of ours; `sequence` is that of an INVITE for its ACK. */
  request(method, sequence) {
    if (sequence === undefined) this.localSequence += 1;
    const request = Message.request(method, this.target);
    request.sentBy = this.#agent.sentBy;
    request.add("Route", ...this.routes).set("Max-Forwards", 70);
    request.set("From", this.local).set("To", this.remote).set("Call-ID", this.callId);
    request.set("CSeq", `${sequence ?? this.localSequence} ${method}`);
    request.set("User-Agent", this.#agent.name);
    if (["INVITE", "UPDATE", "REFER"].includes(method)) request.set("Contact", this.#agent.contact);
    if (method === "INVITE" || method === "UPDATE")
      request.set("Allow", this.#agent.allow).set("Supported", this.#agent.supported);
    return request;
  }

  /** Sends a request of ours, credentials added when they are asked for. */
  send(request, heard = () => {}) {
    return this.#agent.request(request, heard, (again) => {
      this.localSequence = Math.max(this.localSequence, again.cseq.number);
    });
  }

  /** An ACK has no transaction: §13.2.2.4. */
  acknowledge(invite) {
    const ack = this.request("ACK", invite.cseq.number);
    this.#agent.sendAck(ack);
    return ack;
  }
}
