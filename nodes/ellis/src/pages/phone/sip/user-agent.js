import { Credentials, challengesOf, usableOf } from "./digest.js";
import { nameAddr } from "./header.js";
import { Message, parseMessage } from "./message.js";
import { Registration } from "./registration.js";
import { token } from "./tokens.js";
import { Transactions } from "./transactions.js";
import { Transport } from "./transport.js";

const METHODS = ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "UPDATE", "MESSAGE", "REFER", "NOTIFY"];
const FEATURES = 'audio;video;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"';

/**
 * A UE with one registration over one WebSocket. `user`: impu, impi, domain, password; `told` hears registration(state, why), connection(state),
 * invite(transaction), message(transaction). Calls add themselves to `sessions` for what comes in their dialogs.
 */
export class UserAgent {
  sessions = new Set();
  name = "Tidewater softphone";
  allow = METHODS.join(", ");
  supported = "timer, replaces, outbound, gruu";
  /** RFC 7118 §5.2: nobody finds us by name. */
  sentBy = `${token(8)}.invalid`;
  #told;

  constructor({ user, servers, instance }, told) {
    this.user = user;
    this.#told = told;
    const scheme = /^sips?:([^@;]+)@/.exec(user.impu)?.[1] ?? "anonymous";
    this.contactUri = `sip:${scheme}@${this.sentBy};transport=ws;ob`;
    this.contact = `<${this.contactUri}>;+sip.instance="<urn:uuid:${instance}>";${FEATURES}`;
    this.transport = new Transport(servers, {
      state: (state) => this.#connection(state),
      message: (text) => this.#receive(text),
    });
    this.transactions = new Transactions(this.transport);
    this.registration = new Registration(this, told.registration);
  }

  start() {
    this.transport.open();
  }

  /** Deregisters; what is not sent at once is not sent. */
  stop() {
    this.registration.end();
    this.transport.close();
  }

  /** A request outside of a dialog. */
  newRequest(method, uri) {
    const request = Message.request(method, uri);
    request.sentBy = this.sentBy;
    request.set("Max-Forwards", 70).set("From", `<${this.user.impu}>;tag=${token(8)}`);
    request.set("To", `<${uri}>`).set("Call-ID", token()).set("CSeq", `1 ${method}`);
    if (this.registration.isRegistered) request.set("P-Preferred-Identity", `<${this.user.impu}>`);
    return request.set("User-Agent", this.name);
  }

  /** Sends a request; a challenge is answered once. `resent` hears of the request that takes its place. */
  request(request, heard, resent = () => {}) {
    let isAnswered = false;
    const on = (response) => {
      const { status } = response;
      const name = status === 401 ? "WWW-Authenticate" : "Proxy-Authenticate";
      const challenge = usableOf(challengesOf(response.lines(name)));
      if ((status !== 401 && status !== 407) || challenge === undefined || isAnswered) return heard(response);
      isAnswered = true;
      const again = request.clone();
      const { number, method } = request.cseq;
      again.set("CSeq", `${number + 1} ${method}`);
      const answer = new Credentials(challenge, this.user).answer(method, request.uri);
      again.set(status === 401 ? "Authorization" : "Proxy-Authorization", answer);
      resent(again);
      Object.assign(client, this.transactions.request(again, on));
    };
    const client = { ...this.transactions.request(request, on) };
    return client;
  }

  sendAck(ack) {
    ack.set("Via", `SIP/2.0/${this.transport.name} ${this.sentBy};branch=z9hG4bK${token(10)}`);
    this.transport.send(String(ack));
  }

  #connection(state) {
    if (state === "open") this.registration.register();
    else this.registration.lost();
    this.#told.connection(state);
  }

  #receive(text) {
    const message = parseMessage(text);
    if (message === undefined) return;
    if (message.method === undefined) return this.transactions.receive(message);
    const session = [...this.sessions].find((each) => each.dialog?.has(message));
    if (message.method === "ACK") return session?.acknowledged(message);
    const transaction = this.transactions.serve(message);
    if (transaction === undefined) return;
    if (message.method === "CANCEL") return this.#cancel(transaction);
    if (!METHODS.includes(message.method))
      return transaction.respond(405, (response) => response.set("Allow", this.allow));
    if (nameAddr(message.get("To")).params.has("tag")) {
      if (session === undefined) return transaction.respond(481);
      if (!session.dialog.follow(message)) return transaction.respond(500);
      return session.receive(transaction);
    }
    const known = this.supported.split(", ");
    const unknown = message.values("Require").filter((option) => !known.includes(option.toLowerCase()));
    if (unknown.length > 0)
      return transaction.respond(420, (response) => response.set("Unsupported", unknown.join(", ")));
    if (message.method === "INVITE") return this.#told.invite(transaction);
    if (message.method === "MESSAGE") return this.#told.message(transaction);
    if (message.method === "OPTIONS")
      return transaction.respond(200, (response) =>
        response.set("Allow", this.allow).set("Accept", "application/sdp, text/plain"),
      );
    transaction.respond(message.method === "REFER" ? 603 : 481);
  }

  #cancel(transaction) {
    const invite = this.transactions.inviteOf(transaction.request);
    if (invite === undefined) return transaction.respond(481);
    transaction.respond(200);
    if (!invite.isOver) invite.onCancel?.(transaction.request);
  }
}
