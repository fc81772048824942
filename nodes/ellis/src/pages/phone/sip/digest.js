import { md5, sha256 } from "./hashes.js";
import { quoted, unquoted } from "./header.js";
import { token } from "./tokens.js";

const HASHES = new Map([
  ["md5", md5],
  ["sha-256", sha256],
]);
const PART = /\s*,?\s*(?:([A-Za-z0-9_.-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*)|([A-Za-z0-9_-]+)(?=\s|$))/y;

/** Challenges of WWW-Authenticate or Proxy-Authenticate lines (RFC 7616 §3.3), in their order. */
export function challengesOf(lines) {
  const challenges = [];
  for (const line of lines) {
    PART.lastIndex = 0;
    let part = PART.exec(line);
    while (part !== null && part[0] !== "") {
      const [, name, value, scheme] = part;
      if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), params: new Map() });
      else challenges.at(-1)?.params.set(name.toLowerCase(), unquoted(value));
      part = PART.exec(line);
    }
  }
  return challenges.filter(({ scheme, params }) => scheme === "digest" && params.has("nonce"));
}

/** The first challenge that we can answer: those of unknown algorithms are passed over (RFC 8760 §2.4). */
export function usableOf(challenges) {
  return challenges.find(({ params }) => {
    const qop = params.get("qop");
    return (
      HASHES.has((params.get("algorithm") ?? "MD5").toLowerCase()) &&
      (qop === undefined || qop.split(",").some((each) => each.trim().toLowerCase() === "auth"))
    );
  });
}

/** Answers a challenge as often as wanted, its nonce counted (RFC 7616 §3.4). */
export class Credentials {
  #challenge;
  #user;
  #count = 0;

  constructor(challenge, user) {
    this.#challenge = challenge.params;
    this.#user = user;
  }

  /** Value of Authorization or Proxy-Authorization. */
  answer(method, uri) {
    const given = this.#challenge;
    const algorithm = given.get("algorithm") ?? "MD5";
    const hash = HASHES.get(algorithm.toLowerCase());
    const [realm, nonce, opaque] = ["realm", "nonce", "opaque"].map((name) => given.get(name) ?? "");
    const { impi, password } = this.#user;
    const [a1, a2] = [hash(`${impi}:${realm}:${password}`), hash(`${method}:${uri}`)];
    const parts = [
      `Digest username=${quoted(impi)}`,
      `realm=${quoted(realm)}`,
      `nonce=${quoted(nonce)}`,
      `uri=${quoted(uri)}`,
    ];
    if (given.has("qop")) {
      this.#count += 1;
      const nc = this.#count.toString(16).padStart(8, "0");
      const cnonce = token();
      parts.push(
        `response="${hash([a1, nonce, nc, cnonce, "auth", a2].join(":"))}"`,
        ...["qop=auth", `nc=${nc}`, `cnonce="${cnonce}"`],
      );
    } else parts.push(`response="${hash(`${a1}:${nonce}:${a2}`)}"`);
    if (given.has("algorithm")) parts.push(`algorithm=${algorithm}`);
    if (given.has("opaque")) parts.push(`opaque=${quoted(opaque)}`);
    return parts.join(", ");
  }
}
