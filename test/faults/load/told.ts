/** What a UE was told of its contact: a line of the file that `tidewater audit bindings --told` reads. Times in ms since the epoch. */
export interface ToldLine {
  readonly aor: string;
  readonly contact: string;
  /** `at` or before: removed. */
  readonly expiresAt: number;
  readonly callId: string;
  readonly cseq: number;
  readonly at: number;
}

/** The last word to each device, and the contacts it has given up. */
export class Told {
  readonly #byDevice = new Map<string, ToldLine>();
  readonly #givenUp = new Map<string, ToldLine>();

  accepted(device: string, line: ToldLine): void {
    const before = this.#byDevice.get(device);
    // One instance, one flow: a new contact replaces the old one (RFC 5626 §6).
    if (before !== undefined && before.contact !== line.contact)
      this.#givenUp.set(before.contact, { ...before, expiresAt: line.at, at: line.at });
    this.#givenUp.delete(line.contact);
    this.#byDevice.set(device, line);
  }

  /** Nobody knows what became of the last REGISTER: nothing can be said about the contact. */
  uncertain(device: string): void {
    this.#byDevice.delete(device);
  }

  lines(): ToldLine[] {
    return [...this.#givenUp.values(), ...this.#byDevice.values()];
  }
}
