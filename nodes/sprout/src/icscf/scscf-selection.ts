import { rankScscfs } from "@ims/ims";
import type { ServerCapabilities } from "../cx/cx.ts";

/** An S-CSCF that this I-CSCF may choose. */
export interface ConfiguredScscf {
  readonly uri: string;
  readonly capabilities: readonly number[];
  /** Lower is better. */
  readonly priority: number;
  /** Share among those that are equally good; 0 comes last. */
  readonly weight: number;
}

/** S-CSCF selection: TS 24.229 §5.3.1.2, TS 29.228 §6.7. */
export class ScscfSelection {
  readonly #configured: readonly ConfiguredScscf[];
  readonly #random: () => number;

  /** `random`: [0, 1). */
  constructor(configured: readonly ConfiguredScscf[], random: () => number) {
    this.#configured = configured;
    this.#random = random;
  }

  /** SIP URIs that have all mandatory capabilities, best first, without those tried before. */
  candidates(capabilities: ServerCapabilities, tried: ReadonlySet<string>): readonly string[] {
    return rankScscfs(capabilities, this.#shuffled(), tried);
  }

  /** Random order by weight (RFC 2782); the ranking keeps it among equals. */
  #shuffled(): ConfiguredScscf[] {
    if (this.#configured.length < 2) return [...this.#configured];
    const left = [...this.#configured];
    const order: ConfiguredScscf[] = [];
    while (left.length > 0) {
      const total = left.reduce((sum, { weight }) => sum + weight, 0);
      let at = 0;
      for (let rest = this.#random() * total; at < left.length - 1; at++) {
        rest -= left[at]?.weight ?? 0;
        if (rest < 0) break;
      }
      order.push(...left.splice(at, 1));
    }
    return order;
  }
}
