import { Credentials, challengesOf, usableOf } from "./digest.js";
import { nameAddr, quoted } from "./header.js";
import { Message } from "./message.js";
import { token } from "./tokens.js";

const EXPIRES = 600;
/** Before an attempt that was refused for now is made again. */
const AGAIN_MS = 5_000;

/**
 * The registration of one public identity (RFC 3261 §10, RFC 5626, TS 24.229 §5.1.1). `told(state, why)`: "registering", "registered", "refused"
 * (the user must do something), "failed" (it is tried again), "ended".
 */
export class Registration {
  #agent;
  #told;
  #callId = token();
  #tag = token(8);
  #sequence = 0;
  #credentials;
  #expires = EXPIRES;
  #timer;
  #attempt = 0;
  isRegistered = false;
  /** P-Associated-URI: the identities that the network has registered with this one. */
  associated = [];

  constructor(agent, told) {
    this.#agent = agent;
    this.#told = told;
  }

  register() {
    clearTimeout(this.#timer);
    const attempt = ++this.#attempt;
    if (!this.isRegistered) this.#told("registering");
    this.#send(this.#request(this.#expires), (response, answered) => {
      if (attempt === this.#attempt) this.#heard(response, answered);
    });
  }

  /** The connection is gone, and with it the flow. */
  lost() {
    clearTimeout(this.#timer);
    this.#attempt += 1;
    this.isRegistered = false;
  }

  /** Contact is given back. Our P-CSCF vouches for a flow that is registered: nothing waits for a challenge. */
  end() {
    const was = this.isRegistered;
    this.lost();
    if (was) this.#send(this.#request(0), () => {});
    this.#told("ended");
  }

  #request(expires) {
    const { impu, domain } = this.#agent.user;
    const request = Message.request("REGISTER", `sip:${domain}`);
    request.sentBy = this.#agent.sentBy;
    request.set("Max-Forwards", 70).set("From", `<${impu}>;tag=${this.#tag}`).set("To", `<${impu}>`);
    request.set("Call-ID", this.#callId).set("CSeq", `${++this.#sequence} REGISTER`);
    request.set("Contact", `${this.#agent.contact};reg-id=1;expires=${expires}`).set("Expires", expires);
    request.set("Supported", "path, outbound, gruu").set("Allow", this.#agent.allow);
    return request.set("User-Agent", this.#agent.name);
  }

  /** `heard(response, answered)`: whether the request had the answer to a challenge that was put to us for it. */
  #send(request, heard, answered = false) {
    const { impi, domain } = this.#agent.user;
    const uri = request.uri;
    // TS 24.229 §5.1.1.2.2: who we are is said before anybody asks.
    request.set(
      "Authorization",
      this.#credentials?.answer("REGISTER", uri) ??
        `Digest username=${quoted(impi)}, realm=${quoted(domain)}, nonce="", uri=${quoted(uri)}, response=""`,
    );
    this.#agent.transactions.request(request, (response) => {
      if (response.status < 200) return;
      if (response.status !== 401 && response.status !== 407) return heard(response, answered);
      const challenges = challengesOf(response.lines("WWW-Authenticate"));
      const challenge = usableOf(challenges);
      const isStale = challenge?.params.get("stale")?.toLowerCase() === "true";
      if (challenge === undefined || (answered && !isStale))
        return heard(Object.assign(response, { unusable: challenge === undefined }), answered);
      this.#credentials = new Credentials(challenge, this.#agent.user);
      const again = request.clone().set("CSeq", `${++this.#sequence} REGISTER`);
      this.#send(again, heard, true);
    });
  }

  #heard(response, answered) {
    const { status } = response;
    if (status < 300) return this.#registered(response);
    this.#credentials = undefined;
    this.isRegistered = false;
    const least = Number(response.get("Min-Expires"));
    if (status === 423 && least > this.#expires) {
      this.#expires = least;
      return this.register();
    }
    if (response.unusable) return this.#told("refused", { kind: "algorithm" });
    if (status === 401 || (status === 403 && answered)) return this.#told("refused", { kind: "password" });
    if (status === 403 || status === 404) return this.#told("refused", { kind: "forbidden", response });
    this.#told("failed", { kind: "status", response });
    const after = Number.parseInt(response.get("Retry-After"), 10);
    this.#timer = setTimeout(
      () => this.register(),
      Number.isNaN(after) ? AGAIN_MS * (1 + Math.random()) : Math.min(after, 600) * 1000,
    );
    if (response.local) this.#agent.transport.giveUp();
  }

  #registered(response) {
    this.associated = response.values("P-Associated-URI").map((value) => nameAddr(value).uri);
    const contacts = response.values("Contact").map(nameAddr);
    const own = contacts.find(({ uri }) => uri === this.#agent.contactUri);
    const granted = Number(own?.params.get("expires") ?? response.get("Expires")) || this.#expires;
    // TS 24.229 §5.1.1.4.1: 600 s before the end, or at half of it.
    const seconds = granted > 1_200 ? granted - 600 : granted / 2;
    this.#timer = setTimeout(() => this.register(), seconds * 1000);
    this.isRegistered = true;
    this.#agent.transport.succeeded();
    this.#told("registered");
  }
}
