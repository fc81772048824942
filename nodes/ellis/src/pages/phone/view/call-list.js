import { CallView } from "./call-view.js";
import { byId } from "./dom.js";

const TICK_MS = 500;

/** The calls there are, each with its buttons. */
export class CallList {
  #views = new Map();
  #given;

  constructor(given) {
    this.#given = given;
    setInterval(() => {
      for (const view of this.#views.values()) view.tick();
    }, TICK_MS);
  }

  update() {
    const { list } = this.#given.calls;
    for (const call of list) {
      // One that takes the place of another is not rung for.
      if (this.#views.has(call) || (call.takesOver !== undefined && call.state === "incoming")) continue;
      const view = new CallView(call, this.#given);
      this.#views.set(call, view);
      byId("calls").append(view.element);
    }
    for (const [call, view] of this.#views) {
      if (call.state !== "ended") {
        view.update();
        continue;
      }
      const hadFocus = view.element.contains(document.activeElement);
      view.element.remove();
      this.#views.delete(call);
      if (hadFocus)
        (byId("calls").querySelector("button:not([hidden])") ?? byId("dial").elements.target).focus();
    }
  }
}
