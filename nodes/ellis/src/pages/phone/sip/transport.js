/** Connections fail and come back: waits double from the first to the longest (RFC 5626 §4.5, shorter: a person is waiting). */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const OPEN_WITHIN_MS = 10_000;
/** RFC 5626 §4.4.1: an answer to a ping is late after this. */
const PONG_WITHIN_MS = 10_000;
const PING_EVERY_MS = 30_000;

/**
 * SIP over one WebSocket at a time (RFC 7118), to the first of `servers` that takes it. `told.state` hears "connecting", "open" and "waiting",
 * `told.message` each frame with a message.
 */
export class Transport {
  #servers;
  #told;
  #next = 0;
  #failures = 0;
  #socket;
  #retry;
  #ping;
  #pong;
  #closed = false;

  constructor(servers, told) {
    this.#servers = servers;
    this.#told = told;
    addEventListener("online", this.#now);
  }

  /** WS or WSS, as a Via names it. */
  get name() {
    return (this.#socket?.url ?? this.#servers[0]).startsWith("wss:") ? "WSS" : "WS";
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open() {
    clearTimeout(this.#retry);
    if (this.#closed) return;
    this.#told.state("connecting");
    const socket = new WebSocket(this.#servers[this.#next], "sip");
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    const late = setTimeout(() => this.#lost(socket), OPEN_WITHIN_MS);
    socket.onopen = () => {
      clearTimeout(late);
      this.#told.state("open");
      this.#ping = setInterval(() => this.#sendPing(), PING_EVERY_MS);
    };
    socket.onmessage = ({ data }) => {
      clearTimeout(this.#pong);
      const text = typeof data === "string" ? data : new TextDecoder().decode(data);
      if (text.trim() !== "") this.#told.message(text);
    };
    socket.onclose = () => {
      clearTimeout(late);
      this.#lost(socket);
    };
  }

  /** Waits begin small again: what we are here for has worked. */
  succeeded() {
    this.#failures = 0;
  }

  /** This server does not serve us: the next one, after a while. */
  giveUp() {
    if (this.#socket !== undefined) this.#lost(this.#socket);
  }

  /** False when there is no connection. */
  send(text) {
    if (!this.isOpen) return false;
    this.#socket.send(text);
    return true;
  }

  close() {
    this.#closed = true;
    removeEventListener("online", this.#now);
    clearTimeout(this.#retry);
    this.#forget();
  }

  #now = () => {
    if (!this.isOpen) this.open();
  };

  #sendPing() {
    this.#socket.send("\r\n\r\n");
    const socket = this.#socket;
    clearTimeout(this.#pong);
    this.#pong = setTimeout(() => this.#lost(socket), PONG_WITHIN_MS);
  }

  #lost(socket) {
    if (socket !== this.#socket || this.#closed) return;
    this.#forget();
    this.#next = (this.#next + 1) % this.#servers.length;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.#failures++, 10));
    // Half of it by chance: all phones of a server that was started again do not come at once.
    this.#retry = setTimeout(() => this.open(), longest * (0.5 + Math.random() / 2));
    this.#told.state("waiting");
  }

  #forget() {
    clearInterval(this.#ping);
    clearTimeout(this.#pong);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}
