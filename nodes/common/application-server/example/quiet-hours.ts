import type { ApplicationServerModule, InitialRequest, ServerHost } from "@ims/application-server";

/**
 * An example: at night a subscriber is not called, unless the same caller calls twice within three minutes. Settings: `from` and `until`
 * as "22:00", in UTC, and `voicemail`, a SIP URI for the calls of the night; without one they are answered 480.
 */
const module: ApplicationServerModule = {
  interfaceVersion: 1,
  name: "quiet-hours",
  create: (host) => {
    const night = { from: minuteOf(host, "from"), until: minuteOf(host, "until") };
    const { voicemail } = host.settings;
    if (voicemail !== undefined && (typeof voicemail !== "string" || !voicemail.startsWith("sip:")))
      throw new Error("settings.voicemail has to be a SIP URI");
    const calls = host.metrics.counter("calls_total", "Calls of the night by what became of them", {
      outcome: ["urgent", "voicemail", "refused"],
    });
    return {
      async onInitialRequest(call) {
        if (call.request.method !== "INVITE" || call.served?.sessionCase !== "term" || !isNight(host, night))
          return void call.forward();
        if (await callsAgain(host, call)) {
          calls.inc({ outcome: "urgent" });
          return void call.forward();
        }
        if (voicemail === undefined) {
          calls.inc({ outcome: "refused" });
          return call.respond(480, { reason: "Temporarily Unavailable (quiet hours)" });
        }
        calls.inc({ outcome: "voicemail" });
        const diverted = call.copy();
        diverted.requestUri = voicemail;
        call.forward(diverted, {
          onResponse: ({ status }) => {
            if (status < 300 || call.cancelled) return "forward";
            host.log.warn({ status }, "voicemail takes no calls");
            call.respond(480);
            return "absorb";
          },
        });
      },
    };
  },
};
export default module;

const TWICE_WITHIN_SECONDS = 180;
const DAY = 1_440;

/** Has the same caller called a moment ago? A store that does not answer lets calls through. */
async function callsAgain({ store }: ServerHost, { request, served }: InitialRequest): Promise<boolean> {
  const key = `${request.top("P-Asserted-Identity") ?? "anonymous"} ${served?.impu ?? ""}`;
  const before = await store.get("callers", key);
  if (before.kind !== "notFound") return true;
  await store.put("callers", key, new Uint8Array(), {
    ifVersion: "absent",
    ttlSeconds: TWICE_WITHIN_SECONDS,
  });
  return false;
}

function isNight({ clock }: ServerHost, { from, until }: { from: number; until: number }): boolean {
  const now = Math.floor(clock.now() / 60_000) % DAY;
  return from <= until ? now >= from && now < until : now >= from || now < until;
}

function minuteOf({ settings }: ServerHost, name: string): number {
  const [, hours, minutes] = /^([01][0-9]|2[0-3]):([0-5][0-9])$/.exec(String(settings[name])) ?? [];
  if (hours === undefined || minutes === undefined)
    throw new Error(`settings.${name} has to be a time such as "22:00"`);
  return Number(hours) * 60 + Number(minutes);
}
