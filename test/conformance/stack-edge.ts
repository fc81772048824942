import { type Clock, systemClock, type Timer } from "@ims/runtime";
import { NodeTransportLayer, ProxyCore, type TransactionUser } from "@ims/sip";
import type { Edge } from "./edge.ts";

/**
 * The SIP stack alone behind real sockets: an untrusted side whose functional entity answers 403 to whatever gets
 * through to it. What it answers itself is what every node of ours answers.
 */
export async function stackEdge(t: { after(end: () => unknown): void }, host: string): Promise<Edge> {
  const forbidding: TransactionUser = {
    functionalEntity: "P-CSCF",
    accepts: () => false,
    onRequest: (context) => context.respond(403),
  };
  const { clock, cancelAll } = stoppable(systemClock());
  const core = new ProxyCore({
    sides: [{ name: "access", entity: forbidding, strict: true }],
    locator: { locate: () => [], failed: () => undefined },
    clock,
    transport: (handler) => new NodeTransportLayer({ handler, clock }),
    onDefect: (error) => {
      throw error;
    },
  });
  t.after(async () => {
    await core.transport.stop();
    cancelAll();
  });
  const udp = await core.transport.listen({ side: "access", protocol: "UDP", host, port: 0 });
  const tcp = await core.transport.listen({ side: "access", protocol: "TCP", host, port: 0 });
  return { host, udpPort: udp.port, tcpPort: tcp.port };
}

/** A clock whose timers end with the test: transactions wait 32 s for an ACK that never comes. */
function stoppable(clock: Clock): { clock: Clock; cancelAll: () => void } {
  const timers = new Set<Timer>();
  return {
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer: (ms, fn) => {
        const timer = clock.setTimer(ms, () => {
          timers.delete(timer);
          fn();
        });
        timers.add(timer);
        return timer;
      },
    },
    cancelAll: () => {
      for (const timer of timers) timer.cancel();
    },
  };
}
