/** Ways in which a key may name a subscriber or a call: URI, private identity, number, IMSI, Call-ID, ICID. */
export class TrailKey {
  readonly text: string;
  /** Occurs in the bytes (read as latin1) of every step that the key may stand for. */
  readonly needle: string;
  readonly #bare: string;
  readonly #user: string;
  readonly #host: string | undefined;

  /** `exact`: it is an identifier of a message, no identity. */
  constructor(text: string, exact = false) {
    this.text = text;
    this.#bare = bareOf(text);
    const at = this.#bare.lastIndexOf("@");
    this.#user = at < 0 ? this.#bare : this.#bare.slice(0, at);
    this.#host = at < 0 ? undefined : this.#bare.slice(at + 1).toLowerCase();
    this.needle = Buffer.from(exact ? text : this.#user, "utf8").toString("latin1");
  }

  /** Is it this identity, however it is written? Without a host: that of any realm. */
  names(identity: string): boolean {
    const bare = bareOf(identity);
    const at = bare.lastIndexOf("@");
    const user = at < 0 ? bare : bare.slice(0, at);
    if (user !== this.#user || user === "") return false;
    if (this.#host === undefined) return true;
    return at >= 0 && bare.slice(at + 1).toLowerCase() === this.#host;
  }

  /** Is it one of these identifiers? */
  is(identifiers: readonly (string | undefined)[]): boolean {
    return identifiers.includes(this.text);
  }
}

/** Without scheme and parameters. */
function bareOf(identity: string): string {
  const text = identity.replace(/^(?:sips?|tel|im|pres):/i, "");
  const end = text.search(/[;?>]/);
  return end < 0 ? text : text.slice(0, end);
}
