/** Tones of the phone, made by the browser: [frequencies in Hz, seconds on, seconds off]. Ringing and busy as ITU-T E.180 has them. */
const TONES = {
  ring: [[440, 480, 1_320], 1, 2],
  waiting: [[425], 0.2, 4],
  ringback: [[425], 1, 4],
  busy: [[425], 0.5, 0.5],
};
const KEYS = ["123A", "456B", "789C", "*0#D"];
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1_209, 1_336, 1_477, 1_633];
const LOUDNESS = 0.08;
const BUSY_MS = 2_500;

export class Tones {
  #context;
  #playing;
  #name = "";
  isSilent = false;

  /** One of TONES, until another; "" for none. The same again goes on. */
  play(name) {
    const wanted = this.isSilent && (name === "ring" || name === "waiting") ? "" : name;
    // A busy tone ends by itself.
    if (wanted === this.#name || (wanted === "" && this.#name === "busy")) return;
    this.#stop();
    this.#name = wanted;
    if (wanted === "") return;
    const [frequencies, on, off] = TONES[wanted];
    const beat = () => this.#sound(frequencies, on);
    beat();
    const every = setInterval(beat, (on + off) * 1000);
    this.#playing = () => clearInterval(every);
  }

  /** Somebody is told that it is over, when nothing else sounds. */
  busy() {
    if (this.#name === "ring" || this.#name === "waiting") return;
    this.play("busy");
    setTimeout(() => this.#name === "busy" && this.#stop(), BUSY_MS);
  }

  /** What a key of a telephone sounds like (ITU-T Q.23). */
  key(key) {
    const row = KEYS.findIndex((keys) => keys.includes(key));
    if (row >= 0) this.#sound([ROWS[row], COLUMNS[KEYS[row].indexOf(key)]], 0.12);
  }

  #stop() {
    this.#playing?.();
    this.#playing = undefined;
    this.#name = "";
  }

  #sound(frequencies, seconds) {
    this.#context ??= new AudioContext();
    // Before a user has touched the page it may make no noise.
    if (this.#context.state === "suspended") void this.#context.resume();
    const { currentTime: now, destination } = this.#context;
    const gain = new GainNode(this.#context, { gain: 0 });
    gain.gain.setTargetAtTime(LOUDNESS / frequencies.length, now, 0.01);
    gain.gain.setTargetAtTime(0, now + seconds, 0.02);
    gain.connect(destination);
    for (const frequency of frequencies) {
      const oscillator = new OscillatorNode(this.#context, { frequency });
      oscillator.connect(gain);
      oscillator.start(now);
      oscillator.stop(now + seconds + 0.2);
    }
  }
}
