const CALLS = 100;
const CONVERSATIONS = 50;
const MESSAGES = 200;

/** What a phone remembers of a number, in this browser: calls, and conversations by address. Read anew each time: another tab may write too. */
export class Kept {
  #storage;
  #impu;

  constructor(storage, impu) {
    this.#storage = storage;
    this.#impu = impu;
  }

  /** Newest first: { uri, name, kind: "out" | "in" | "missed", at, seconds }. */
  calls() {
    return this.#read("calls");
  }

  addCall(call) {
    this.#write("calls", [call, ...this.calls()].slice(0, CALLS));
  }

  forgetCalls() {
    this.#write("calls", []);
  }

  /** Newest first: { uri, name, unread, messages: [{ id, isOurs, text, at, state }] }. */
  conversations() {
    return this.#read("conversations");
  }

  conversation(uri) {
    return this.conversations().find((each) => each.uri === uri);
  }

  addMessage({ uri, name }, message, { unread = 0 } = {}) {
    const before = this.conversation(uri) ?? { uri, name, unread: 0, messages: [] };
    const messages = [...before.messages, message].slice(-MESSAGES);
    const after = { ...before, name, messages, unread: before.unread + unread };
    const others = this.conversations().filter((each) => each.uri !== uri);
    this.#write("conversations", [after, ...others].slice(0, CONVERSATIONS));
  }

  /** Changes one message. */
  setState(uri, id, state) {
    this.#change(uri, (one) => ({
      ...one,
      messages: one.messages.map((each) => (each.id === id ? { ...each, state } : each)),
    }));
  }

  markRead(uri) {
    this.#change(uri, (one) => ({ ...one, unread: 0 }));
  }

  forgetConversation(uri) {
    this.#write(
      "conversations",
      this.conversations().filter((each) => each.uri !== uri),
    );
  }

  #change(uri, change) {
    this.#write(
      "conversations",
      this.conversations().map((each) => (each.uri === uri ? change(each) : each)),
    );
  }

  #read(what) {
    try {
      const list = JSON.parse(this.#storage.getItem(`phone ${what} ${this.#impu}`) ?? "[]");
      return Array.isArray(list) ? list : [];
    } catch {
      return [];
    }
  }

  #write(what, list) {
    try {
      this.#storage.setItem(`phone ${what} ${this.#impu}`, JSON.stringify(list));
    } catch {
      // The browser keeps no more: the phone works without a memory.
    }
  }
}
