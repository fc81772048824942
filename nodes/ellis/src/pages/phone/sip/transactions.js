import { Message } from "./message.js";
import { newBranch, token } from "./tokens.js";

/** Timers B, F and H: 64 T1 (RFC 3261 §17.1). Over a connection nothing is sent twice but a 2xx that waits for its ACK. */
export const TIMEOUT_MS = 32_000;

const REASONS = new Map([
  [100, "Trying"],
  [180, "Ringing"],
  [200, "OK"],
  [202, "Accepted"],
  [400, "Bad Request"],
  [405, "Method Not Allowed"],
  [415, "Unsupported Media Type"],
  [420, "Bad Extension"],
  [480, "Temporarily Unavailable"],
  [481, "Call/Transaction Does Not Exist"],
  [486, "Busy Here"],
  [487, "Request Terminated"],
  [488, "Not Acceptable Here"],
  [491, "Request Pending"],
  [500, "Server Internal Error"],
  [603, "Decline"],
]);

/** Client and server transactions over a reliable transport (RFC 3261 §17). */
export class Transactions {
  #transport;
  #clients = new Map();
  #servers = new Map();

  constructor(transport) {
    this.#transport = transport;
  }

  /**
   * Sends a request with a branch of its own. `heard` gets each response; when there is no final one, one of ours: 408 (Request Timeout) or
   * 503 (Service Unavailable), marked as `local`.
   */
  request(request, heard) {
    const branch = newBranch();
    request.remove("Via");
    request.set("Via", `SIP/2.0/${this.#transport.name} ${request.sentBy};branch=${branch}`);
    const client = { request, heard, isOver: false, timer: undefined };
    this.#clients.set(branch + request.method, client);
    client.timer = setTimeout(() => this.#end(client, 408, "Request Timeout"), TIMEOUT_MS);
    if (!this.#transport.send(String(request)))
      queueMicrotask(() => this.#end(client, 503, "Service Unavailable"));
    return client;
  }

  /** RFC 3261 §9.1: of an INVITE that has had a provisional response. */
  cancel({ request }) {
    const cancel = Message.request("CANCEL", request.uri);
    for (const name of ["Via", "Route", "From", "To", "Call-ID"]) cancel.add(name, ...request.lines(name));
    cancel.set("CSeq", `${request.cseq.number} CANCEL`).set("Max-Forwards", 70);
    this.#transport.send(String(cancel));
  }

  /** A response that came; those of nobody's requests are passed over. */
  receive(response) {
    const branch = branchOf(response);
    const client = this.#clients.get(branch + response.cseq.method);
    if (client === undefined) return;
    if (client.isOver) {
      // A 2xx again, or of another fork: whoever has sent the INVITE acknowledges it (§13.2.2.4).
      if (client.request.method === "INVITE" && response.status < 300) client.heard(response);
      return;
    }
    if (response.status < 200) {
      clearTimeout(client.timer);
      return client.heard(response);
    }
    this.#over(client);
    if (client.request.method === "INVITE" && response.status >= 300)
      this.#transport.send(String(ackOf(client.request, response)));
    client.heard(response);
  }

  /** A request that came, but ACK, as something that is answered; undefined when it was seen before. */
  serve(request) {
    const key = branchOf(request) + request.method;
    if (this.#servers.has(key)) {
      const said = this.#servers.get(key).said;
      if (said !== "") this.#transport.send(said);
      return undefined;
    }
    const server = new ServerTransaction(request, (text) => this.#transport.send(text));
    this.#servers.set(key, server);
    const forget = () => setTimeout(() => this.#servers.delete(key), TIMEOUT_MS);
    server.onFinal = forget;
    return server;
  }

  /** The INVITE that a CANCEL is for. */
  inviteOf(cancel) {
    return this.#servers.get(`${branchOf(cancel)}INVITE`);
  }

  #over(client) {
    clearTimeout(client.timer);
    client.isOver = true;
    const key = branchOf(client.request) + client.request.method;
    setTimeout(() => this.#clients.delete(key), TIMEOUT_MS);
  }

  #end(client, status, reason) {
    if (client.isOver) return;
    this.#over(client);
    client.heard(Object.assign(Message.response(status, reason), { local: true }));
  }
}

class ServerTransaction {
  said = "";
  isOver = false;
  onFinal = () => {};
  #send;
  #tag = token(8);

  constructor(request, send) {
    this.request = request;
    this.#send = send;
  }

  get tag() {
    return this.#tag;
  }

  /** Answers once for all with a final status; `edit` adds headers and a body. */
  respond(status, edit = () => {}) {
    if (this.isOver) return undefined;
    const response = Message.response(status, REASONS.get(status) ?? "");
    for (const name of ["Via", "From", "To", "Call-ID", "CSeq"])
      response.add(name, ...this.request.lines(name));
    const to = response.get("To");
    if (status > 100 && !/;\s*tag=/i.test(to)) response.set("To", `${to};tag=${this.#tag}`);
    edit(response);
    this.said = String(response);
    this.#send(this.said);
    if (status >= 200) {
      this.isOver = true;
      this.onFinal();
    }
    return response;
  }
}

function branchOf(message) {
  return /;\s*branch=([^;,\s]+)/i.exec(message.get("Via"))?.[1] ?? "";
}

/** RFC 3261 §17.1.1.3. */
function ackOf(request, response) {
  const ack = Message.request("ACK", request.uri);
  ack.add("Via", request.get("Via")).add("Route", ...request.lines("Route"));
  ack.set("From", request.get("From")).set("To", response.get("To")).set("Call-ID", request.get("Call-ID"));
  return ack.set("CSeq", `${request.cseq.number} ACK`).set("Max-Forwards", 70);
}
