import { existsSync, readFileSync } from "node:fs";
import { DiameterNode } from "@ims/diameter";
import { cx, Lir } from "@ims/diameter/cx";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";

/** Runs in the machine that has SCTP: Cx requests of a sprout, through both relays, to an HSS. Its last line is the outcome, in JSON. */
const REQUESTS = 100;
const HSS_PORT = 3900;
const READY_WITHIN_MS = 180_000;

function node(originHost: string, originRealm: string): DiameterNode {
  return new DiameterNode({
    ...{ originHost, originRealm, productName: "tidewater", applications: [cx] },
    clock: systemClock(),
    log: memoryLogger("silent"),
  });
}

const hss = node("hss.other.example", "other.example");
await hss.listen({ host: "127.0.0.1", port: HSS_PORT });
hss.handle(Lir, ({ avps }) => ({ resultCode: 2001, serverName: avps.publicIdentity }));
const sprout = node("sprout-0.sprout.example.com", "example.com");
sprout.addPeer({ host: "10.99.0.1", port: 3868, originHost: "relay-1.example.com" });
sprout.start();

const ask = async (user: number): Promise<boolean> => {
  const publicIdentity = `sip:${user}@other.example`;
  const outcome = await sprout.request(
    Lir,
    { publicIdentity },
    { destinationRealm: "other.example", timeoutMs: 10_000 },
  );
  return outcome.kind === "answer" && outcome.avps.serverName === publicIdentity;
};
const deadline = performance.now() + READY_WITHIN_MS;
while (performance.now() < deadline && !(await ask(0)))
  await new Promise((resolve) => setTimeout(resolve, 500));
let answered = 0;
for (let user = 1; user <= REQUESTS; user++) if (await ask(user)) answered++;
const table = "/proc/net/sctp/assocs";
const associations = existsSync(table) ? readFileSync(table, "utf8").trim().split("\n").slice(1) : [];
console.log(`\nOUTCOME ${JSON.stringify({ answered, of: REQUESTS, associations })}`);
process.exit(answered === REQUESTS ? 0 : 1);
