import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { InitialFilterCriteria, TriggerCondition } from "@ims/ims";
import type { SipMessage } from "@ims/sip";
import { type Bench, type BenchOptions, BOB, BOB_KEYS, benchWithUsers, SCSCF } from "./bench.ts";

/** URI of an application server that listens on a port. */
export function serverAt(port: number, more = ""): string {
  return `sip:127.0.0.1:${port};transport=tcp${more}`;
}

export interface IfcFields extends Partial<InitialFilterCriteria["applicationServer"]> {
  readonly priority?: number;
  /** All of them hold; unless one is Method=REGISTER, for other methods. */
  readonly when?: readonly TriggerCondition[];
  readonly profilePart?: "registered" | "unregistered";
}

export function ifc(port: number, fields: IfcFields = {}): InitialFilterCriteria {
  const { priority = port, when = [], profilePart, ...server } = fields;
  const registers = when.some((one) => one.kind === "method" && one.method === "REGISTER");
  const calls = { negated: !registers, condition: method("REGISTER") };
  return {
    priority,
    trigger: { form: "cnf", groups: [[calls], ...when.map((condition) => [{ negated: false, condition }])] },
    applicationServer: {
      serverName: serverAt(port),
      defaultHandling: "continue",
      includeRegisterRequest: false,
      includeRegisterResponse: false,
      ...server,
    },
    profilePart,
  };
}

export const method = (name: string, registrationTypes: readonly (0 | 1 | 2)[] = []): TriggerCondition => ({
  kind: "method",
  method: name,
  registrationTypes,
});
export const sessionCase = (value: 0 | 1 | 2 | 3 | 4): TriggerCondition => ({
  kind: "sessionCase",
  sessionCase: value,
});

export interface ChainOptions extends BenchOptions {
  readonly alice?: readonly InitialFilterCriteria[];
  readonly bob?: readonly InitialFilterCriteria[];
  readonly aliceSets?: readonly number[];
}

/** Alice and Bob with their filter criteria, not registered. */
export function benchWithCriteria({ alice = [], bob = [], aliceSets = [], ...options }: ChainOptions): Bench {
  const b = benchWithUsers(options);
  const [first, second] = b.cx.subscribers;
  assert.ok(first && second);
  b.cx.subscribers.splice(
    0,
    2,
    {
      ...first,
      ifcs: alice,
      sharedIfcSetIds: aliceSets,
      charging: { ecf: [], ccf: ["aaa://ccf.example.com"] },
      unregisteredServices: true,
    },
    { ...second, ifcs: bob, unregisteredServices: true },
  );
  return b;
}

/** The same, both registered. */
export async function chainBench(options: ChainOptions): Promise<Bench> {
  const b = benchWithCriteria(options);
  await b.registered();
  await b.registered(BOB, BOB_KEYS);
  b.cx.taken();
  return b;
}

/** A request of Alice to Bob arrives from her P-CSCF; what leaves. */
export function fromAlice(b: Bench, name = "INVITE", more: readonly string[] = []): Promise<SipMessage[]> {
  return b.send(
    b.request(name, {
      uri: "sip:bob@example.com",
      headers: [`Route: <${SCSCF};lr;orig>`, "P-Asserted-Identity: <sip:alice@example.com>", ...more],
    }),
    b.toScscf,
  );
}

/** What an application server that is a proxy sends back; `edit` is what it changes. */
export function returned(asked: SipMessage, edit: (request: SipMessage) => void = () => undefined): string {
  const request = asked.clone();
  request.replaceTop("Route", undefined);
  request.prepend("Via", `SIP/2.0/TCP 127.0.0.1:7999;branch=z9hG4bKas${randomUUID()}`);
  edit(request);
  return request.toString();
}

/** Port of the application server that a request is for. */
export function visited(request: SipMessage | undefined): string {
  return /:(7[0-9]{3})/.exec(request?.top("Route") ?? "")?.[1] ?? `none: ${request}`;
}

/** The only one of several messages. */
export function only(messages: readonly SipMessage[]): SipMessage {
  assert.equal(messages.length, 1, messages.map(String).join("\n"));
  return messages[0] ?? assert.fail();
}
