import { callerOf } from "./call/parties.js";
import { statusWords } from "./call/words.js";
import { token } from "./sip/tokens.js";

/** RFC 3428 §8: longer ones have to go another way. */
export const MOST_BYTES = 1_300;

/** Pager-mode messages (RFC 3428). `told`: changed(), arrived(peer, text). */
export class Messages {
  #agent;
  #kept;
  #told;

  constructor(agent, kept, told) {
    this.#agent = agent;
    this.#kept = kept;
    this.#told = told;
  }

  /** What is wrong with a text; undefined when it can be sent. */
  problemOf(text) {
    if (text.trim() === "") return "Write something first.";
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > MOST_BYTES) return `A message has ${MOST_BYTES} bytes at most; this one has ${bytes}.`;
    return this.#agent.registration.isRegistered
      ? undefined
      : "The phone is not registered; nothing can be sent now.";
  }

  send(peer, text) {
    const id = token(8);
    this.#kept.addMessage(peer, { id, isOurs: true, text, at: Date.now(), state: "Sending…" });
    const request = this.#agent.newRequest("MESSAGE", peer.uri);
    request.withBody("text/plain;charset=UTF-8", text);
    this.#agent.request(request, (response) => {
      if (response.status < 200) return;
      const state =
        response.status === 202
          ? "Accepted"
          : response.status < 300
            ? "Delivered"
            : statusWords(response.status);
      this.#kept.setState(peer.uri, id, response.status < 300 ? state : `Not delivered: ${state}`);
      this.#told.changed();
    });
    this.#told.changed();
  }

  /** A MESSAGE that came. */
  receive(transaction) {
    const { request } = transaction;
    if (request.mediaType !== "text/plain")
      return transaction.respond(415, (response) => response.set("Accept", "text/plain"));
    transaction.respond(200);
    const peer = callerOf(request, this.#agent.user.domain);
    const message = { id: token(8), isOurs: false, text: request.body, at: Date.now(), state: "" };
    this.#kept.addMessage(peer, message, { unread: 1 });
    this.#told.arrived(peer, request.body);
  }
}
