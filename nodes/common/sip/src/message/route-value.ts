import { locateUri, parseNameAddr } from "./name-addr.ts";
import { parseUri, type Uri } from "./uri.ts";

/** One value of the Route header field (RFC 3261 §20.34); its URI is read when first asked for, and once. */
export class RouteValue {
  /** As received, without the white space around it. */
  readonly text: string;
  #read = false;
  #uri: Uri | undefined = undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Undefined when it cannot be read. */
  get uri(): Uri | undefined {
    if (!this.#read) {
      this.#read = true;
      const located = locateUri(this.text);
      if (located !== undefined) this.#uri = parseUri(this.text.slice(located.start, located.end));
    }
    return this.#uri;
  }

  /** Is all of it as the grammar has it, the display name and the parameters behind the URI too? */
  isWellFormed(): boolean {
    // Nearly all are a URI in angle brackets and nothing else.
    const { text } = this;
    const bare = text.charCodeAt(0) === 0x3c && text.indexOf(">") === text.length - 1;
    return bare ? this.uri !== undefined : parseNameAddr(text) !== undefined;
  }
}
