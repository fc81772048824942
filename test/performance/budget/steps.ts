/** What a procedure consists of, in the order in which a message meets it, and then what it costs besides. */
export const STEPS = {
  read: "datagrams and streams taken from sockets and cut into messages, the system calls included",
  parse: "header fields found and read",
  match: "transactions: found, driven, made; branches",
  overload: "admission and overload control",
  route: "next hops: Route, DNS, pools, fail-over, forks",
  "P-CSCF": "procedures of the P-CSCF (and IBCF)",
  "I-CSCF": "procedures of the I-CSCF",
  "S-CSCF": "procedures of the S-CSCF (and of BGCF, numbers, MMTEL)",
  profile: "identities, user profile, filter criteria, charging vectors: common to the CSCFs",
  Diameter: "Cx: messages coded, read, and matched with their requests",
  HSS: "procedures of the HSS",
  hash: "digests, tokens, seals, random numbers",
  store: "registrations, challenges and subscribers: coded, read and written",
  build: "messages changed and written as text",
  write: "messages given to sockets, the system calls included",
  timers: "timers set, ended and run",
  tell: "metrics, trail, log, records",
  other: "of the project, none of these",
  collect: "garbage collected on the main thread",
  engine: "the engine without JavaScript (compiling, lookups that miss), and Node's own loop",
  poll: "asleep to awake: epoll, wake-ups, reads by libuv",
  helpers: "other threads: collector, compiler, files",
} as const;
export type Step = keyof typeof STEPS;
export const STEP_NAMES = Object.keys(STEPS) as readonly Step[];

/** Where a file, or all below a folder, belongs; some of its functions elsewhere. `asleep`: time of the clock that costs nothing. */
export interface Place {
  readonly path: string;
  readonly step: Step | "asleep";
  readonly except?: { readonly step: Step; readonly functions: readonly string[] };
}

const SENDING: Place["except"] = {
  step: "write",
  functions: ["send", "sendText", "sendBytes", "write", "flush", "#flush", "#queue", "#makeRoom", "peer"],
};

/** Longest path first wins; every folder of the nodes under load has one (a test looks). */
export const PLACES: readonly Place[] = [
  { path: "nodes/all-in-one/", step: "other" },
  { path: "nodes/bono/", step: "P-CSCF" },
  { path: "nodes/bono/src/metrics.ts", step: "tell" },
  { path: "nodes/bono/src/pcscf/flow-token.ts", step: "hash" },
  { path: "nodes/bono/src/pcscf/guess-limiter.ts", step: "overload" },
  { path: "nodes/bono/src/pcscf/source-limiter.ts", step: "overload" },
  { path: "nodes/common/api/", step: "other" },
  { path: "nodes/common/application-server/", step: "S-CSCF" },
  { path: "nodes/common/diameter/", step: "Diameter" },
  { path: "nodes/common/diameter/src/metrics.ts", step: "tell" },
  { path: "nodes/common/diameter/src/peer/connection.ts", step: "read", except: SENDING },
  { path: "nodes/common/diameter/src/peer/framer.ts", step: "read" },
  { path: "nodes/common/diameter/src/trail/", step: "tell" },
  { path: "nodes/common/ims/", step: "profile" },
  { path: "nodes/common/runtime/", step: "other" },
  { path: "nodes/common/runtime/src/alarm/", step: "tell" },
  { path: "nodes/common/runtime/src/clock.ts", step: "timers" },
  { path: "nodes/common/runtime/src/dns/", step: "route" },
  { path: "nodes/common/runtime/src/http/", step: "overload" },
  { path: "nodes/common/runtime/src/load-monitor.ts", step: "overload" },
  { path: "nodes/common/runtime/src/log/", step: "tell" },
  {
    path: "nodes/common/runtime/src/loop-pacer.ts",
    step: "asleep",
    except: { step: "read", functions: ["received", "afterFlush"] },
  },
  { path: "nodes/common/runtime/src/metrics/", step: "tell" },
  { path: "nodes/common/runtime/src/overload/", step: "overload" },
  { path: "nodes/common/runtime/src/pool/", step: "route" },
  { path: "nodes/common/runtime/src/records/", step: "tell" },
  { path: "nodes/common/runtime/src/timer-wheel.ts", step: "timers" },
  { path: "nodes/common/runtime/src/trail/", step: "tell" },
  { path: "nodes/common/runtime/src/turn-end.ts", step: "write" },
  { path: "nodes/common/sip/", step: "other" },
  { path: "nodes/common/sip/src/caller-preferences/", step: "profile" },
  { path: "nodes/common/sip/src/digest/", step: "hash" },
  { path: "nodes/common/sip/src/failover/", step: "route" },
  { path: "nodes/common/sip/src/message/", step: "parse" },
  { path: "nodes/common/sip/src/message/identifiers.ts", step: "hash" },
  {
    path: "nodes/common/sip/src/message/header-lines.ts",
    step: "parse",
    except: {
      step: "build",
      functions: [
        ...["prepend", "append", "appendUnknown", "set", "remove", "removeNamed", "removeAll", "replaceTop"],
        ...["copy", "copyTable", "copyAdded", "withLines", "takeTop", "#exchangeTop", "#add"],
      ],
    },
  },
  {
    path: "nodes/common/sip/src/message/message.ts",
    step: "parse",
    except: {
      step: "build",
      functions: [
        ...["request", "response", "clone", "setBody", "truncateBody", "popRoute", "toString"],
        ...["changed", "#forget"],
      ],
    },
  },
  { path: "nodes/common/sip/src/message/response.ts", step: "build" },
  { path: "nodes/common/sip/src/metrics.ts", step: "tell" },
  { path: "nodes/common/sip/src/overload/", step: "overload" },
  { path: "nodes/common/sip/src/proxy/", step: "route" },
  { path: "nodes/common/sip/src/proxy/admission.ts", step: "overload" },
  { path: "nodes/common/sip/src/proxy/branch.ts", step: "match" },
  { path: "nodes/common/sip/src/proxy/response-router.ts", step: "match" },
  { path: "nodes/common/sip/src/resolver/", step: "route" },
  { path: "nodes/common/sip/src/resource-priority/", step: "profile" },
  { path: "nodes/common/sip/src/session-timer/", step: "profile" },
  { path: "nodes/common/sip/src/trail/", step: "tell" },
  { path: "nodes/common/sip/src/transaction/", step: "match" },
  { path: "nodes/common/sip/src/transaction/timers.ts", step: "timers" },
  { path: "nodes/common/sip/src/transport/", step: "read", except: SENDING },
  { path: "nodes/common/store/", step: "store" },
  { path: "nodes/common/runtime/src/packed/", step: "store" },
  { path: "nodes/common/store/src/store-metrics.ts", step: "tell" },
  { path: "nodes/homestead/", step: "HSS" },
  { path: "nodes/homestead/src/aka/", step: "hash" },
  { path: "nodes/homestead/src/cx-peers.ts", step: "Diameter" },
  { path: "nodes/homestead/src/hss/cassandra/", step: "store" },
  { path: "nodes/homestead/src/hss/digest.ts", step: "hash" },
  { path: "nodes/homestead/src/hss/embedded-repository.ts", step: "store" },
  { path: "nodes/homestead/src/hss/sealing.ts", step: "hash" },
  { path: "nodes/homestead/src/hss/sqlite-tables.ts", step: "store" },
  { path: "nodes/homestead/src/hss/stored.ts", step: "store" },
  { path: "nodes/sprout/", step: "S-CSCF" },
  { path: "nodes/sprout/src/analytics/", step: "tell" },
  { path: "nodes/sprout/src/cx/", step: "Diameter" },
  { path: "nodes/sprout/src/icscf/", step: "I-CSCF" },
  { path: "nodes/sprout/src/metrics.ts", step: "tell" },
  { path: "nodes/sprout/src/scscf/nonces.ts", step: "hash" },
  { path: "nodes/sprout/src/scscf/odi-token.ts", step: "hash" },
  { path: "nodes/sprout/src/store-trail.ts", step: "tell" },
  { path: "nodes/sprout/src/store/", step: "store" },
  { path: "nodes/sprout/src/stores.ts", step: "store" },
];

const longestFirst = PLACES.toSorted((a, b) => b.path.length - a.path.length);
const known = new Map<string, Place | undefined>();

/** The step of a function of the project; undefined: not of the project, or a file without a place. */
export function stepOf(file: string, functionName: string): Step | "asleep" | undefined {
  let place = known.get(file);
  if (place === undefined) {
    place = longestFirst.find(({ path }) => file.startsWith(path));
    known.set(file, place);
  }
  // "get size" and "set size" of accessors, "async read" never: V8 gives the bare name of methods.
  return place?.except?.functions.includes(functionName) === true ? place.except.step : place?.step;
}
