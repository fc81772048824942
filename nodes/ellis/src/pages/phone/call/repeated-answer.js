import { TIMEOUT_MS } from "../sip/transactions.js";

const T1_MS = 500;
const T2_MS = 4_000;

/** A 2xx to an INVITE, sent again and again until it is acknowledged (RFC 3261 §13.3.1.4); `gaveUp` hears when it is not. */
export class RepeatedAnswer {
  #transport;
  #gaveUp;
  #timer;

  constructor(transport, gaveUp) {
    this.#transport = transport;
    this.#gaveUp = gaveUp;
  }

  start(text) {
    this.stop();
    const until = Date.now() + TIMEOUT_MS;
    let wait = T1_MS;
    const again = () => {
      if (Date.now() > until) return this.#gaveUp();
      this.#transport.send(text);
      wait = Math.min(2 * wait, T2_MS);
      this.#timer = setTimeout(again, wait);
    };
    this.#timer = setTimeout(again, wait);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
