/**
 * Requests sent back to back over one connection, and how many are answered: this node against itself, and the npm package
 * `diameter` against itself. Run: sh scripts/node nodes/common/diameter/bench/pipelining.ts
 */

import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { cx, Mar } from "../src/cx/application.ts";
import { DiameterNode } from "../src/diameter-node.ts";
import { mar } from "../testing/cx-messages.ts";

const REQUESTS = 1_000;
const ROUNDS = 30;

function node(originHost: string): DiameterNode {
  const log = memoryLogger("silent");
  return new DiameterNode({
    originHost,
    originRealm: "example.com",
    productName: "bench",
    applications: [cx],
    clock: systemClock(),
    log,
  });
}

async function ours(): Promise<{ sent: number; answered: number; cpuUs: number }> {
  const hss = node("hss.example.com");
  const sprout = node("sprout.example.com");
  hss.handle(Mar, ({ avps }) => ({ resultCode: 2001, userName: avps.userName, sipNumberAuthItems: 1 }));
  const port = await hss.listen({ host: "127.0.0.1", port: 0 });
  sprout.addPeer({ host: "127.0.0.1", port });
  sprout.start();
  await sprout.whenConnected(2_000);
  let answered = 0;
  let cpuUs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    await new Promise<void>((resolve) => {
      let done = 0;
      for (let i = 0; i < REQUESTS; i++) {
        sprout.requestWith(Mar, mar(), { destinationRealm: "example.com" }, (outcome) => {
          if (outcome.kind === "answer") answered++;
          if (++done === REQUESTS) resolve();
        });
      }
    });
    const used = process.cpuUsage(before);
    if (round >= ROUNDS / 2) cpuUs += used.user + used.system;
  }
  await Promise.all([sprout.stop(), hss.stop()]);
  return { sent: REQUESTS * ROUNDS, answered, cpuUs: cpuUs / (REQUESTS * (ROUNDS / 2)) };
}

interface ForeignMessage {
  header: { hopByHopId: number };
  body: unknown[];
}
interface ForeignSocket extends NodeJS.EventEmitter {
  diameterConnection: {
    hopByHopIdCounter: number;
    createRequest(application: string, command: string, sessionId: string): ForeignMessage;
    sendRequest(request: ForeignMessage, timeoutMs: number): Promise<unknown>;
  };
  destroy(): void;
}
interface Foreign {
  createServer(
    options: object,
    onSocket: (socket: ForeignSocket) => void,
  ): { listen(port: number, host: string, done: () => void): void; address(): AddressInfo; close(): void };
  createConnection(options: object, onConnect: () => void): ForeignSocket;
}

async function theirs(): Promise<{ sent: number; answered: number }> {
  const foreign = createRequire(import.meta.url)("diameter") as Foreign;
  const server = foreign.createServer({}, (socket) => {
    socket.on("error", () => {});
    socket.on("diameterMessage", (event: { response: ForeignMessage; callback(m: ForeignMessage): void }) => {
      event.response.body = event.response.body.concat([
        ["Result-Code", "DIAMETER_SUCCESS"],
        ["Origin-Host", "hss.example.com"],
        ["Origin-Realm", "example.com"],
      ]);
      event.callback(event.response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = await new Promise<ForeignSocket>((resolve) => {
    const created: ForeignSocket = foreign.createConnection(
      { host: "127.0.0.1", port: server.address().port },
      () => resolve(created),
    );
    created.on("error", () => {});
  });
  const connection = socket.diameterConnection;
  // It counts up from a random number without wrapping.
  connection.hopByHopIdCounter = 1;
  const outcomes = await Promise.allSettled(
    Array.from({ length: REQUESTS }, (_, i) => {
      const request = connection.createRequest("Diameter Common Messages", "Device-Watchdog", `s;1;${i}`);
      request.body = [
        ["Origin-Host", "sprout.example.com"],
        ["Origin-Realm", "example.com"],
      ];
      return connection.sendRequest(request, 3_000);
    }),
  );
  socket.destroy();
  server.close();
  return { sent: REQUESTS, answered: outcomes.filter(({ status }) => status === "fulfilled").length };
}

console.log(`Node ${process.version}, ${REQUESTS} requests in flight over one connection`);
console.table({ "@ims/diameter, MAR/MAA": await ours(), "diameter 0.7.0, DWR/DWA": await theirs() });
