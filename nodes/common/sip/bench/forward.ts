/**
 * CPU microseconds that ProxyCore takes to forward a REGISTER and a call between two trusted hops, transports in memory:
 *
 *     sh scripts/node nodes/common/sip/bench/forward.ts [rounds] [other copy of nodes/common/sip]
 *
 * With a second copy of this package both are measured alternately in one run. The least of all rounds is printed; what the
 * peers of the bench take is in it.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock } from "@ims/runtime";
import type { RequestContext } from "../src/index.ts";

const OPERATIONS = 4_000;
const [rounds = "8", other] = process.argv.slice(2);
const here = resolve(import.meta.dirname, "..");
const copies = [here, ...(other === undefined ? [] : [resolve(other)])];

type Round = () => { readonly register: number; readonly call: number };

async function benchOf(root: string): Promise<Round> {
  const { ProxyCore } = (await import(
    pathToFileURL(`${root}/src/index.ts`).href
  )) as typeof import("../src/index.ts");
  const { FakeTransportLayer } = (await import(
    pathToFileURL(`${root}/testing/index.ts`).href
  )) as typeof import("../testing/index.ts");
  const clock = systemClock();
  const transport = new FakeTransportLayer();
  const targets = [1, 2, 3].map((n) => ({ protocol: "TCP", address: `192.0.2.${n}`, port: 5054 }) as const);
  const entity = {
    functionalEntity: "P-CSCF",
    accepts: () => false,
    onRequest: (context: RequestContext) =>
      void context.fork(context.forward(), { destination: { kind: "uri", side: "core" } }),
  } as const;
  new ProxyCore({
    sides: [{ name: "core", entity, strict: false }],
    clock,
    locator: { locate: () => targets, failed: () => undefined },
    transport: (handler) => {
      transport.handler = handler;
      return transport;
    },
    onDefect: (error) => {
      throw error;
    },
  });
  const peer = transport.connect({ protocol: "TCP" });
  let count = 0;
  const request = (method: string, more: string): string =>
    `${method} sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK${++count}\r\n` +
    "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK77;rport=5060;received=10.0.0.1\r\n" +
    "Max-Forwards: 69\r\nRoute: <sip:scscf.example.com;transport=tcp;lr;orig>\r\n" +
    `From: <sip:alice@example.com>;tag=a${count}\r\nTo: <sip:bob@example.com>${more}\r\nCall-ID: ${count}@10.0.0.1\r\n` +
    `CSeq: 1 ${method}\r\nContact: <sip:alice@10.0.0.1:5060>\r\nSupported: path, outbound\r\n` +
    "P-Charging-Vector: icid-value=1;icid-generated-at=10.0.0.9\r\nContent-Length: 0\r\n\r\n";
  const reply = (status: number): void => {
    const sent = transport.takeSent().at(-1);
    if (sent === undefined) throw new Error("nothing was sent");
    const head = sent.text.split("\r\n").filter((line) => /^(?:Via|From|To|Call-ID|CSeq):/.test(line));
    for (const flow of transport.dialled) flow.sent.length = 0;
    peer.sent.length = 0;
    const text = `SIP/2.0 ${status} OK\r\n${head.join("\r\n")}${status > 100 ? ";x=1" : ""}\r\nContent-Length: 0\r\n\r\n`;
    sent.flow.receive(text.replace(/^To: (.*)$/m, "To: $1;tag=b"));
  };
  const ask = (method: string, more = ""): void => {
    const text = request(method, more);
    transport.sent.length = 0;
    peer.receive(text);
  };
  const timed = (run: () => void): number => {
    const before = process.cpuUsage();
    for (let n = 0; n < OPERATIONS; n++) run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / OPERATIONS;
  };
  return () => ({
    register: timed(() => {
      ask("REGISTER");
      reply(200);
    }),
    call: timed(() => {
      ask("INVITE");
      reply(200);
      transport.sent.length = 0;
      ask("BYE", ";tag=b");
      reply(200);
    }),
  });
}

const benches = await Promise.all(copies.map(benchOf));
const best = copies.map(() => ({ register: Number.POSITIVE_INFINITY, call: Number.POSITIVE_INFINITY }));
for (let round = 0; round < Number(rounds); round++)
  for (const [index, bench] of benches.entries()) {
    const { register, call } = bench();
    const least = best[index];
    if (least === undefined) continue;
    least.register = Math.min(least.register, register);
    least.call = Math.min(least.call, call);
  }
for (const [index, root] of copies.entries()) {
  const { register = 0, call = 0 } = best[index] ?? {};
  process.stdout.write(
    `${root}: REGISTER and 200 ${register.toFixed(2)} us, INVITE, 200, BYE and 200 ${call.toFixed(2)} us\n`,
  );
}
process.exit(0);
