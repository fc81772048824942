import type { Condition, ForwardTo, InitialFilterCriteria, Rule, Simservs } from "@ims/ims";
import { OwnUris, type SipMessage } from "@ims/sip";
import { memoryStore } from "@ims/store";
import { HomeNetwork } from "../../src/mmtel/home-network.ts";
import { Locations } from "../../src/mmtel/locations.ts";
import { Mmtel } from "../../src/mmtel/mmtel.ts";
import type { MmtelModules, Reading } from "../../src/mmtel/modules.ts";
import { type Bench, SCSCF } from "./bench.ts";
import { sideOf } from "./built-in.ts";
import { chainBench, ifc } from "./chain.ts";

export const MMTEL = "sip:mmtel.example.com";
export const ALICE = "sip:alice@example.com";
export const BOB_URI = "sip:bob@example.com";

/** Criteria for every initial request: MMTEL in the same process, as an ordinary application server. */
const toMmtel: InitialFilterCriteria = ifc(7001, { serverName: MMTEL });

export interface MmtelBench extends Bench {
  readonly counted: string[];
  readonly mmtel: Mmtel;
  /** Requests of its own. */
  readonly originated: SipMessage[];
}

export interface MmtelBenchOptions {
  /** By canonical identity; nobody else has settings. */
  readonly simservs?: Readonly<Record<string, Simservs | Reading>>;
  readonly options?: Partial<MmtelModules["options"]>;
}

/** Alice and Bob, registered, both with criteria for the MMTEL application server of this sprout. */
export async function mmtelBench({
  simservs = {},
  options = {},
}: MmtelBenchOptions = {}): Promise<MmtelBench> {
  const counted: string[] = [];
  const originated: SipMessage[] = [];
  const readings = new Map(Object.entries(simservs));
  let mmtel: Mmtel | undefined;
  const bench = await chainBench({
    alice: [toMmtel],
    bob: [toMmtel],
    sides: (clock) => {
      mmtel = new Mmtel({
        options: {
          uri: MMTEL,
          side: "scscf",
          unreadable: "continue",
          noReplySeconds: 20,
          maxDiversions: 5,
          conferenceUris: [],
          mrfUri: "",
          ...options,
        },
        clock,
        simservs: {
          read: async (impu): Promise<Reading> => {
            const found = readings.get(impu) ?? {};
            return "kind" in found ? (found as Reading) : { kind: "simservs", simservs: found as Simservs };
          },
        },
        home: new HomeNetwork({
          countryCode: "49",
          internationalPrefix: "00",
          networks: ["26201", "ims.mnc002.mcc262.3gppnetwork.org"],
          homeDomain: "example.com",
        }),
        locations: new Locations(memoryStore({ clock })),
        counters: { mmtel: (outcome) => void counted.push(outcome) },
        originate: (request) => {
          originated.push(request);
          return { request, done: false, flow: undefined, cancel: () => undefined };
        },
      });
      return [sideOf(mmtel, MMTEL, new OwnUris([MMTEL]), clock)];
    },
  });
  if (mmtel === undefined) throw new Error("no application server was made");
  return Object.assign(bench, { counted, mmtel, originated });
}

export function forwardTo(
  target: string,
  conditions: readonly Condition[] = [],
  more: Partial<ForwardTo> = {},
): Rule<ForwardTo> {
  return {
    id: target,
    conditions,
    action: {
      target,
      notifyCaller: true,
      revealIdentityToCaller: true,
      revealServedUserIdentityToCaller: true,
      revealIdentityToTarget: true,
      noReplySeconds: undefined,
      ...more,
    },
  };
}

/** Settings that divert. */
export function diverting(...rules: readonly Rule<ForwardTo>[]): Simservs {
  return { communicationDiversion: { active: true, noReplySeconds: undefined, rules } };
}

/** Rules that bar, each by these conditions. */
export function bars(...rules: readonly (readonly Condition[])[]): NonNullable<Simservs["incomingBarring"]> {
  return {
    active: true,
    rules: rules.map((conditions, index) => ({ id: `r${index}`, conditions, action: { allow: false } })),
  };
}

export interface CallFields {
  readonly uri?: string;
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly media?: string;
  /** Instead of Alice's asserted identity. */
  readonly identity?: string;
}

/** A request of Alice, from her P-CSCF; what leaves. */
export function calls(
  b: Bench,
  { uri = BOB_URI, method = "INVITE", headers = [], media, identity }: CallFields = {},
): Promise<SipMessage[]> {
  const text = b.request(method, {
    uri,
    headers: [`Route: <${SCSCF};lr;orig>`, `P-Asserted-Identity: ${identity ?? `<${ALICE}>`}`, ...headers],
  });
  if (media === undefined) return b.send(text, b.toScscf);
  const body = `v=0\r\nm=${media} 4000 RTP/AVP 0\r\n`;
  return b.send(
    text.replace(
      "Content-Length: 0\r\n\r\n",
      `Content-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ),
    b.toScscf,
  );
}

/** The request among what left. */
export function requestIn(messages: readonly SipMessage[], method = "INVITE"): SipMessage {
  const found = messages.find((each) => each.method === method);
  if (found === undefined) throw new Error(`no ${method} left: ${messages.map(String).join("\n")}`);
  return found;
}

/** Statuses of the responses among what left. */
export function statuses(messages: readonly SipMessage[]): number[] {
  return messages.filter((each) => !each.isRequest).map(({ status }) => status);
}
