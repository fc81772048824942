/**
 * Encode and decode of one Multimedia-Auth-Request, this codec against the npm package `diameter`.
 * Run: sh scripts/node nodes/common/diameter/bench/codec.ts
 */
import { createRequire } from "node:module";
import { base } from "../src/base/commands.ts";
import { Dictionary } from "../src/codec/command.ts";
import { decode } from "../src/codec/decode.ts";
import { encode } from "../src/codec/encode.ts";
import { Writer } from "../src/codec/writer.ts";
import { cx, Mar } from "../src/cx/application.ts";
import { mar } from "../testing/cx-messages.ts";

/** Microseconds a call, the best of five rounds. */
function measure(calls: number, fn: () => void): number {
  for (let i = 0; i < calls; i++) fn();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) fn();
    const used = process.cpuUsage(before);
    best = Math.min(best, (used.user + used.system) / calls);
  }
  return best;
}

const dictionary = new Dictionary([base, cx]);
const writer = new Writer();
const avps = mar();
const ids = { hopByHop: 1, endToEnd: 2 };
encode(writer, Mar.request, ids, avps);
const bytes = writer.take() ?? Buffer.alloc(0);

const ours = {
  encode: measure(200_000, () => {
    encode(writer, Mar.request, ids, avps);
    if (writer.pending > 32_000) writer.take();
  }),
  decode: measure(200_000, () => {
    decode(dictionary, bytes);
  }),
};

interface ForeignCodec {
  encodeMessage(message: unknown): Buffer;
  decodeMessage(bytes: Buffer): unknown;
  constructRequest(
    application: string,
    command: string,
    sessionId: string,
  ): { header: { hopByHopId: number }; body: unknown[] };
}
const foreign = createRequire(import.meta.url)("diameter/lib/diameter-codec.js") as ForeignCodec;
// It knows no Cx command and few Cx AVPs: a Credit-Control-Request of the same length and number of AVPs stands in.
const request = foreign.constructRequest(
  "Diameter Credit Control Application",
  "Credit-Control",
  avps.sessionId,
);
request.body = request.body.concat([
  ["Auth-Session-State", 1],
  ["Origin-Host", avps.originHost],
  ["Origin-Realm", avps.originRealm],
  ["Destination-Realm", avps.destinationRealm],
  ["Destination-Host", "homestead.example.com"],
  ["User-Name", avps.userName],
  ["Service-Context-Id", avps.publicIdentity],
  ["CC-Request-Type", 1],
  ["CC-Request-Number", 1],
  [
    "Subscription-Id",
    [
      ["Subscription-Id-Type", 2],
      ["Subscription-Id-Data", avps.publicIdentity],
    ],
  ],
]);
request.header.hopByHopId = 1;
const foreignBytes = foreign.encodeMessage(request);
const theirs = {
  encode: measure(3_000, () => foreign.encodeMessage(request)),
  decode: measure(3_000, () => foreign.decodeMessage(foreignBytes)),
};

console.log(`Node ${process.version}, CPU us a message, best of 5 rounds`);
console.table({
  [`@ims/diameter, MAR ${bytes.length} B`]: ours,
  [`diameter 0.7.0, CCR ${foreignBytes.length} B`]: theirs,
});
