import { hash } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import type { User } from "../users.ts";

/** RFC 3261 §17.1.1.1. */
const T1_MS = 500;
const TIMEOUT_MS = 64 * T1_MS;
const UE_PORT = 5060;
const EXPIRES_S = 7200;
/** Of one registration, refusals and all. */
const CSEQS = 1000;

export interface Setting {
  readonly target: { readonly host: string; readonly port: number };
  readonly domain: string;
  /** How often this UE registered before, from the same place: its CSeq goes on (RFC 3261 §10.2.4). */
  readonly before?: number;
}

export type Registered =
  | { readonly kind: "registered" }
  | { readonly kind: "failed"; readonly problem: string };

/** What the core made a UE do besides. */
export interface Nuisance {
  retransmissions: number;
  /** Refused for a while (RFC 3261 §21.5.4), and done afterwards. */
  refusals: number;
}

export interface RegisteringModules {
  readonly setting: Setting;
  readonly nuisance: Nuisance;
  /** It was told to come back later, or comes back. */
  readonly rests: (rests: boolean) => void;
  readonly done: (result: Registered) => void;
}

/**
 * One UE that registers over UDP from an address of its own and is challenged (RFC 3261 §22, RFC 2617): the socket is there as long as that
 * takes. It repeats what is not answered, and comes back when it is told to.
 */
export class Registering {
  readonly #user: User;
  readonly #setting: Setting;
  readonly #nuisance: Nuisance;
  readonly #rests: (rests: boolean) => void;
  readonly #done: (result: Registered) => void;
  readonly #socket: Socket;
  readonly #callId: string;
  #cseq = 0;
  #request = Buffer.alloc(0);
  /** performance.now() */
  #giveUpAt = 0;
  #repeatAt = 0;
  #interval = T1_MS;
  #ended = false;

  constructor(user: User, { setting, nuisance, rests, done }: RegisteringModules) {
    this.#user = user;
    this.#setting = setting;
    this.#nuisance = nuisance;
    this.#rests = rests;
    this.#done = done;
    this.#cseq = (setting.before ?? 0) * CSEQS;
    this.#callId = `${user.name}@${user.address}`;
    this.#socket = createSocket({ type: "udp4", lookup: asItStands });
    this.#socket.on("error", ({ message }) => this.#end({ kind: "failed", problem: message }));
    this.#socket.on("message", (bytes) => this.#received(bytes.toString("latin1")));
    this.#socket.bind({ address: user.address, port: UE_PORT, exclusive: true }, () => this.#register(""));
  }

  /** Told every now and then; `now` is performance.now(). */
  tick(now: number): void {
    if (this.#ended || this.#repeatAt === 0 || now < this.#repeatAt) return;
    if (now >= this.#giveUpAt) return this.#end({ kind: "failed", problem: "no answer" });
    this.#nuisance.retransmissions += 1;
    this.#interval = Math.min(2 * this.#interval, 8 * T1_MS);
    this.#repeatAt = now + this.#interval;
    this.#send();
  }

  #register(authorization: string): void {
    if (this.#ended) return;
    const { domain } = this.#setting;
    const { name, address } = this.#user;
    this.#cseq += 1;
    const credentials =
      authorization ||
      `Digest username="${name}@${domain}", realm="${domain}", nonce="", uri="sip:${domain}", response=""`;
    this.#request = Buffer.from(
      `REGISTER sip:${domain} SIP/2.0\r\n` +
        `Via: SIP/2.0/UDP ${address}:${UE_PORT};rport;branch=z9hG4bK-${name}-${this.#cseq}\r\n` +
        "Max-Forwards: 70\r\n" +
        `From: <sip:${name}@${domain}>;tag=${name}\r\n` +
        `To: <sip:${name}@${domain}>\r\n` +
        `Call-ID: ${this.#callId}\r\n` +
        `CSeq: ${this.#cseq} REGISTER\r\n` +
        `Contact: <sip:${name}@${address}:${UE_PORT};transport=UDP>\r\n` +
        `Expires: ${EXPIRES_S}\r\n` +
        `Authorization: ${credentials}\r\n` +
        "Supported: path\r\n" +
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, NOTIFY\r\n" +
        "User-Agent: bench\r\n" +
        "Content-Length: 0\r\n\r\n",
      "latin1",
    );
    const now = performance.now();
    this.#giveUpAt = now + TIMEOUT_MS;
    this.#interval = T1_MS;
    this.#repeatAt = now + this.#interval;
    this.#send();
  }

  #send(): void {
    const { host, port } = this.#setting.target;
    this.#socket.send(this.#request, port, host);
  }

  #received(text: string): void {
    if (this.#ended || Number(/^CSeq:\s*(\d+)/im.exec(text)?.[1]) !== this.#cseq) return;
    const status = Number(text.slice(8, 11));
    if (status < 200) return;
    this.#repeatAt = 0;
    if (status === 200) return this.#end({ kind: "registered" });
    if (status === 401 && this.#cseq % 2 === 1) return this.#answer(text);
    if (status === 503 || status === 480) {
      this.#nuisance.refusals += 1;
      const seconds = Number(/^Retry-After:\s*(\d+)/im.exec(text)?.[1] ?? 1);
      // Odd numbers begin a registration, even ones answer a challenge.
      this.#cseq += 2 - (this.#cseq % 2);
      this.#rests(true);
      setTimeout(() => {
        this.#rests(false);
        this.#register("");
      }, seconds * 1000);
      return;
    }
    this.#end({ kind: "failed", problem: text.slice(0, text.indexOf("\r\n")) });
  }

  #answer(challenge: string): void {
    const line = /^WWW-Authenticate:\s*(Digest .*?)\r$/im.exec(challenge)?.[1] ?? "";
    const parameter = (name: string): string =>
      new RegExp(`[ ,]${name}=(?:"([^"]*)"|([^",]*))`, "i").exec(line)?.slice(1).find(Boolean) ?? "";
    const [realm, nonce, algorithm] = [
      parameter("realm"),
      parameter("nonce"),
      parameter("algorithm") || "MD5",
    ];
    if (nonce === "" || algorithm.toUpperCase() !== "MD5")
      return this.#end({ kind: "failed", problem: `a challenge of another kind: ${line}` });
    const { name, password } = this.#user;
    const username = `${name}@${this.#setting.domain}`;
    const uri = `sip:${this.#setting.domain}`;
    const [count, cnonce] = ["00000001", name];
    const withQop = /[ ,]qop=/i.test(line);
    const middle = withQop ? `${count}:${cnonce}:auth:` : "";
    const secret = hash("md5", `${username}:${realm}:${password}`);
    const response = hash("md5", `${secret}:${nonce}:${middle}${hash("md5", `REGISTER:${uri}`)}`);
    this.#register(
      `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5` +
        (withQop ? `, cnonce="${cnonce}", qop=auth, nc=${count}` : ""),
    );
  }

  #end(result: Registered): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.close();
    this.#done(result);
  }
}

/** Addresses are written as numbers: nothing is to be looked up. */
function asItStands(
  hostname: string,
  _options: object,
  callback: (error: Error | null, address: string, family: number) => void,
): void {
  callback(null, hostname, 4);
}
