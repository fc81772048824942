/** A subscription to the registration event package (RFC 3680, RFC 6665): what any member needs to notify its subscriber. */
export interface Subscription {
  /** The dialog, as the notifier has it. */
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** To and From of the SUBSCRIBE without their tags: From and To of each NOTIFY. */
  readonly local: string;
  readonly remote: string;
  /** Contact URI of the subscriber. */
  readonly target: string;
  /** Route values, the one to visit first on top. */
  readonly routes: readonly string[];
  /** The identity that was authorised. */
  readonly subscriber: string;
  /** What documents for it may show: a user and its services learn temporary GRUUs, the network between does not. */
  readonly kind: "user" | "applicationServer" | "edge";
  /** Parameter id of Event; "" for none. */
  readonly eventId: string;
  readonly icid: string;
  /** Of the last SUBSCRIBE. */
  readonly remoteCseq: number;
  /** Of the last NOTIFY. */
  readonly cseq: number;
  /** Of the last document. */
  readonly version: number;
  /** ms since the epoch. */
  readonly expiresAt: number;
  /** When the last NOTIFY is sent again unless it is known to have arrived, ms since the epoch; 0 when it is, or need not be. */
  readonly due: number;
  /** NOTIFYs in a row that did not arrive. */
  readonly failures: number;
}

export const NO_SUBSCRIPTIONS: readonly Subscription[] = [];

export type SubscriptionRow = readonly [
  callId: string,
  localTag: string,
  remoteTag: string,
  local: string,
  remote: string,
  target: string,
  routes: readonly string[],
  subscriber: string,
  kind: 0 | 1 | 2,
  eventId: string,
  icid: string,
  remoteCseq: number,
  cseq: number,
  version: number,
  expiresAt: number,
  due: number,
  failures: number,
];

const KINDS = ["user", "applicationServer", "edge"] as const;

/** Names a subscription among those of a set. */
export function subscriptionName({ callId, localTag, remoteTag }: Subscription): string {
  return `${callId}\n${localTag}\n${remoteTag}`;
}

export function subscriptionRow(one: Subscription): SubscriptionRow {
  return [
    one.callId,
    one.localTag,
    one.remoteTag,
    one.local,
    one.remote,
    one.target,
    one.routes,
    one.subscriber,
    KINDS.indexOf(one.kind) as 0 | 1 | 2,
    one.eventId,
    one.icid,
    one.remoteCseq,
    one.cseq,
    one.version,
    one.expiresAt,
    one.due,
    one.failures,
  ];
}

/** The subscription that a row stands for; undefined when it is none. */
export function subscriptionOfRow(row: unknown): Subscription | undefined {
  if (!Array.isArray(row) || row.length < 17) return undefined;
  const texts = [...row.slice(0, 6), row[7], row[9], row[10]];
  const kind = KINDS[row[8]];
  if (kind === undefined || !texts.every((one) => typeof one === "string")) return undefined;
  if (!Array.isArray(row[6]) || !row.slice(11, 17).every(Number.isFinite)) return undefined;
  const r = row as unknown as SubscriptionRow;
  return {
    callId: r[0],
    localTag: r[1],
    remoteTag: r[2],
    local: r[3],
    remote: r[4],
    target: r[5],
    routes: r[6],
    subscriber: r[7],
    kind,
    eventId: r[9],
    icid: r[10],
    remoteCseq: r[11],
    cseq: r[12],
    version: r[13],
    expiresAt: r[14],
    due: r[15],
    failures: r[16],
  };
}

/** When something of the subscriptions is to be done next, ms since the epoch. */
export function nextDue(subscriptions: readonly Subscription[]): number | undefined {
  let next: number | undefined;
  for (const { expiresAt, due } of subscriptions) {
    const at = due === 0 ? expiresAt : Math.min(due, expiresAt);
    if (next === undefined || at < next) next = at;
  }
  return next;
}
