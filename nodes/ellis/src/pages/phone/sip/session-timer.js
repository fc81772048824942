/** What we ask for, and the least we take: RFC 4028 §4, §5. */
export const INTERVAL_S = 1_800;
export const LEAST_S = 90;

/** Session-Expires of a message; undefined without one. */
export function sessionExpires(message) {
  const [, seconds, refresher] =
    /^(\d+)(?:.*;\s*refresher\s*=\s*(uac|uas))?/i.exec(message.get("Session-Expires")) ?? [];
  return seconds === undefined
    ? undefined
    : { seconds: Number(seconds), refresher: refresher?.toLowerCase() };
}

/** Session-Expires of a 2xx of ours, put into it; what was agreed, from our side. Undefined: no timer (§9). */
export function answerSessionExpires(request, response) {
  const asked = sessionExpires(request);
  if (asked === undefined) return undefined;
  const canRefresh = request.lists("Supported", "timer");
  const refresher = canRefresh ? (asked.refresher ?? "uac") : "uas";
  response.set("Session-Expires", `${asked.seconds};refresher=${refresher}`);
  if (refresher === "uac") response.set("Require", "timer");
  return { seconds: asked.seconds, isOurs: refresher === "uas" };
}

/** What a 2xx to us has agreed (§7.2); undefined: no timer. */
export function agreedSessionExpires(response) {
  const agreed = sessionExpires(response);
  return agreed && { seconds: agreed.seconds, isOurs: agreed.refresher !== "uas" };
}

/** Refreshes a session at half of its interval, or ends it when the other side does not (§10). */
export class SessionTimer {
  #timer;

  constructor(told) {
    this.told = told;
  }

  start(agreed) {
    this.stop();
    if (agreed === undefined) return;
    const { seconds, isOurs } = agreed;
    const after = isOurs ? seconds / 2 : seconds - Math.min(32, seconds / 3);
    this.#timer = setTimeout(isOurs ? this.told.refresh : this.told.expired, after * 1000);
  }

  stop() {
    clearTimeout(this.#timer);
  }
}
