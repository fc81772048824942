import { createHash } from "node:crypto";
import { unquote } from "@ims/sip";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const hash = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest("hex");

/** Answers a challenge, then further requests with the same nonce: RFC 7616 §3.4. */
export class DigestAnswers {
  readonly #credentials: Credentials;
  readonly #realm: string;
  #challenge: { nonce: string; realm: string; algorithm: string; opaque: string } | undefined;
  #count = 0;

  constructor(credentials: Credentials, realm: string) {
    this.#credentials = credentials;
    this.#realm = realm;
  }

  challenged(header: string): void {
    const field = (name: string): string =>
      unquote(new RegExp(`(?:[ ,])${name}=("[^"]*"|[^,\\s]+)`, "i").exec(header)?.[1] ?? "");
    this.#count = 0;
    this.#challenge = {
      nonce: field("nonce"),
      realm: field("realm"),
      algorithm: field("algorithm") || "MD5",
      opaque: field("opaque"),
    };
  }

  /** Logs in from scratch next time: TS 24.229 §5.1.1.2.1. */
  forget(): void {
    this.#challenge = undefined;
  }

  /** Authorization for a REGISTER. */
  authorization(uri: string): string {
    const { username, password } = this.#credentials;
    if (this.#challenge === undefined)
      return `Digest username="${username}", realm="${this.#realm}", nonce="", uri="${uri}", response=""`;
    const { nonce, realm, algorithm, opaque } = this.#challenge;
    this.#count++;
    const count = this.#count.toString(16).padStart(8, "0");
    const kind = algorithm.toUpperCase().startsWith("SHA-256") ? "sha256" : "md5";
    const secret = hash(kind, `${username}:${realm}:${password}`);
    const client = count + nonce.length.toString(16);
    const response = hash(
      kind,
      `${secret}:${nonce}:${count}:${client}:auth:${hash(kind, `REGISTER:${uri}`)}`,
    );
    const last = opaque === "" ? "" : `, opaque="${opaque}"`;
    return `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=${algorithm}, qop=auth, nc=${count}, cnonce="${client}"${last}`;
  }
}
