import { systemClock } from "@ims/runtime";
import { NodeTransportLayer } from "../../src/transport/node-transport-layer.ts";

// A process to be stopped: says on stdout what arrives and what it drops.
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const callId = (text: string): string => /Call-ID: (.*)/.exec(text)?.[1] ?? "";

const layer = new NodeTransportLayer({
  clock: systemClock(),
  limits: { staleMs: Number(process.argv[2]) },
  log: { warn: (_fields, message) => say(`log ${message}`), debug: () => undefined },
  handler: {
    onMessage: (text, flow) => say(`${flow.protocol} ${callId(text)}`),
    onStale: () => say("stale"),
  },
});
const tcp = await layer.listen({ side: "core", protocol: "TCP", host: "127.0.0.1", port: 0 });
const udp = await layer.listen({ side: "core", protocol: "UDP", host: "127.0.0.1", port: 0 });
say(`ports ${tcp.port} ${udp.port}`);
process.on("SIGTERM", () => void layer.stop());
