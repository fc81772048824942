import type { HandedTexts } from "./transport.ts";

/** More than pass between two nodes in one turn of the loop. */
const PLACES = 32;

/** Texts under way between the ends of a local connection: the last ones; what is not taken is written over. */
export class RecentTexts implements HandedTexts {
  readonly #texts: string[] = [];
  readonly #made: string[] = [];
  #next = 0;

  put(text: string, made: string): void {
    this.#texts[this.#next] = text;
    this.#made[this.#next] = made;
    this.#next = (this.#next + 1) % PLACES;
  }

  take(text: string): string | undefined {
    const at = this.#texts.indexOf(text);
    if (at < 0) return undefined;
    const made = this.#made[at];
    this.#texts[at] = "";
    this.#made[at] = "";
    return made;
  }
}
