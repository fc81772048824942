import { Calls } from "./call/calls.js";
import { Devices } from "./call/devices.js";
import { Media } from "./call/media.js";
import { relaysOf } from "./call/relays.js";
import { Tones } from "./call/tones.js";
import { endWords, registrationWords } from "./call/words.js";
import { Kept } from "./kept.js";
import { Messages } from "./messages.js";
import { keepUser, leaveRefused } from "./sign-on.js";
import { shown } from "./sip/header.js";
import { UserAgent } from "./sip/user-agent.js";
import { addressBook } from "./view/address-book.js";
import { CallList } from "./view/call-list.js";
import { dialForm } from "./view/dial-form.js";
import { byId, write } from "./view/dom.js";
import { historyView } from "./view/history-view.js";
import { ask, incomingDialog } from "./view/incoming.js";
import { messagesView } from "./view/messages-view.js";
import { settingsView } from "./view/settings-view.js";
import { tabs } from "./view/tabs.js";

/** The phone of one user in this page: the user agent, its calls and messages, and what is seen of them. */
export class Softphone {
  #user;
  #page;
  #agent;
  #calls;
  #kept;
  #tones = new Tones();
  #relays;
  #iceServers = [];
  #missed = 0;
  /** Why the network does not let us in; empty when it does. */
  #refusal = "";
  #followed = new Map();
  #announced = new WeakMap();

  constructor({ user, servers, turn, instance }, page) {
    const { attempt } = page;
    this.#user = user;
    this.#page = page;
    this.#relays = relaysOf(turn);
    this.#kept = new Kept(localStorage, user.impu);
    const { domain } = user;
    const [kept, tones, devices] = [this.#kept, this.#tones, new Devices(localStorage)];
    const onMessage = (transaction) => this.messages.receive(transaction);
    this.#agent = new UserAgent(
      { user, servers, instance },
      {
        connection: (state) => state !== "open" && this.#registration(state),
        registration: (state, why) => this.#registration(state, why),
        invite: (transaction) => void this.#invited(transaction),
        message: onMessage,
      },
    );
    const newMedia = (told) => new Media({ iceServers: this.#iceServers, devices }, told);
    const calls = new Calls(
      this.#agent,
      { newMedia },
      {
        changed: () => this.#update(),
        ended: (call) => this.#ended(call),
        referred: (_call, referral) => void this.#referred(referral),
        message: onMessage,
      },
    );
    this.#calls = calls;
    this.messages = new Messages(this.#agent, kept, {
      changed: () => this.conversations.update(),
      arrived: (peer, text) => {
        this.conversations.update();
        if (!this.panels.isShown("messages")) this.#say(`Message of ${peer.name}: ${text.slice(0, 120)}`);
      },
    });
    this.panels = tabs(document.querySelector('[role="tablist"]'), (id) => this.#shows(id));
    const dial = (typed, options) => this.#dial(typed, options);
    this.conversations = messagesView({
      ...{ messages: this.messages, kept, attempt, domain },
      isShown: () => this.panels.isShown("messages"),
      counted: (number) => this.panels.count("messages", number),
    });
    this.history = historyView({
      kept,
      call: (uri) => attempt(() => dial(uri)),
      message: (peer) => {
        this.panels.show("messages");
        this.conversations.show(peer);
      },
    });
    this.settings = settingsView({ devices, tones, changed: () => attempt(() => calls.changeDevices()) });
    this.incoming = incomingDialog({ calls, attempt });
    this.callList = new CallList({ calls, tones, devices, attempt });
    dialForm({ dial, tones, attempt });
  }

  start() {
    const { impu, domain } = this.#user;
    write(byId("identity"), shown(impu, domain));
    byId("line").hidden = false;
    void addressBook(impu);
    byId("sign-off").addEventListener("click", () => {
      keepUser(undefined);
      this.#leave();
      location.assign("/phone");
    });
    // A page that is closed gives back what it has: calls end, nobody rings at it any more.
    addEventListener("pagehide", () => this.#leave());
    // The browser shows it again as it was, without a connection: it begins anew.
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    this.#agent.start();
  }

  #leave() {
    this.#calls.hangUpAll();
    this.#agent.stop();
  }

  #say(text) {
    write(byId("said"), text);
  }

  #registration(state, why) {
    const line = byId("registration");
    write(line, registrationWords(state, why));
    line.className = state === "registered" ? "registered" : "";
    if (state === "registered") {
      keepUser(this.#user);
      if (byId("phone").hidden) this.#page.show("phone");
    }
    this.#refusal = state === "refused" ? registrationWords(state, why) : "";
    this.#leaveRefused();
  }

  /** Who is talking goes on: media need no registration. */
  #leaveRefused() {
    if (this.#refusal !== "" && this.#calls.list.length === 0) leaveRefused(this.#user, this.#refusal);
  }

  #shows(id) {
    if (id === "messages") this.conversations.update();
    if (id === "settings") void this.settings.update();
    if (id !== "history") return;
    this.#missed = 0;
    this.panels.count("history", 0);
    this.history.update();
  }

  async #dial(typed, options = {}) {
    this.#iceServers = await this.#relays();
    const { problem, call } = await this.#calls.dial(typed, options);
    if (problem !== undefined) throw new Error(problem);
    return call;
  }

  async #invited(transaction) {
    transaction.onCancel = () => transaction.respond(487);
    this.#iceServers = await this.#relays();
    if (!transaction.isOver) this.#calls.invited(transaction);
  }

  /** Somebody we talk to sends us on. */
  async #referred(referral) {
    const name = shown(referral.uri, this.#user.domain);
    const agreed = await ask(`${referral.by} wants to connect you with ${name}. Call there?`);
    if (!agreed) return referral.decline();
    this.#page.attempt(async () => {
      try {
        this.#followed.set(await this.#dial(referral.uri, { fields: referral.fields }), referral);
      } catch (error) {
        referral.decline();
        throw error;
      }
      this.#follow();
    });
  }

  /** Who has sent us on hears what has become of it. */
  #follow() {
    for (const [call, referral] of this.#followed) if (referral.follow(call)) this.#followed.delete(call);
  }

  #update() {
    this.callList.update();
    const tone = this.incoming.update();
    const rings = this.#calls.list.some(({ state, hasEarlyMedia }) => state === "ringing" && !hasEarlyMedia);
    this.#tones.play(tone === "" && rings ? "ringback" : tone);
    for (const call of this.#calls.list) this.#announce(call);
    this.#follow();
  }

  #announce(call) {
    const { name } = call.peer;
    const words = { ringing: `${name}: it rings.`, active: `Connected with ${name}.` }[call.state] ?? "";
    const said = call.media.isRemoteHeld ? `${name} holds you.` : words;
    if (said === "" || this.#announced.get(call) === said) return;
    this.#announced.set(call, said);
    this.#say(said);
  }

  #ended(call) {
    const { end, peer, isOutgoing, answeredAt, startedAt } = call;
    const why = endWords(end);
    if (end.kind !== "devices") this.#say(`${peer.name}: ${why}`);
    if (isOutgoing && answeredAt === undefined && end.by !== "us") this.#tones.busy();
    const isMissed = !isOutgoing && answeredAt === undefined && end.kind === "missed";
    const seconds = answeredAt === undefined ? undefined : Math.round((Date.now() - answeredAt) / 1000);
    const kind = isOutgoing ? "out" : isMissed ? "missed" : "in";
    this.#kept.addCall({ uri: peer.uri, name: peer.name, kind, at: startedAt, seconds, why });
    if (isMissed && !this.panels.isShown("history")) this.panels.count("history", ++this.#missed);
    this.history.update();
    this.#leaveRefused();
  }
}
