import assert from "node:assert/strict";
import { test } from "node:test";
import { type ApplicationServer, HostedServer, ServiceUris } from "@ims/application-server";
import type { InitialFilterCriteria } from "@ims/ims";
import type { Bench } from "../support/bench.ts";
import { chainBench, fromAlice, ifc } from "../support/chain.ts";

const never = (): Promise<void> => new Promise(() => undefined);
const throws = (): never => {
  throw new Error("of others");
};

/** Bob has a criterion for a server of this process. */
function bench(
  server: ApplicationServer,
  defaultHandling: InitialFilterCriteria["applicationServer"]["defaultHandling"],
): Promise<Bench> {
  const own = new ServiceUris("tried", { homeDomain: "example.com", port: 5054 });
  return chainBench({
    bob: [ifc(7001, { serverName: own.uri, defaultHandling })],
    sides: (clock) => [
      {
        name: "tried",
        strict: false,
        entity: new HostedServer(
          server,
          { name: "tried", uri: own.uri, own, side: "scscf", timeoutMs: 2_000 },
          {
            clock,
            counters: { server: () => undefined },
            onFailure: () => undefined,
            onSlow: () => undefined,
          },
        ),
      },
    ],
  });
}

const BOB = "sip:bob@192.0.2.2:5060";

test("TS 24.229 §5.4.3.3: a server of this process that throws or hangs is the default handling of its criterion: the call goes on without it", async () => {
  for (const [onInitialRequest, ms] of [
    [throws, 0],
    [() => Promise.reject(new Error("later")), 0],
    [never, 2_010],
  ] as const) {
    const b = await bench({ onInitialRequest }, "continue");
    const sent = [...(await fromAlice(b)), ...(await b.advance(ms))];
    assert.deepEqual(
      sent.map(({ requestUri }) => requestUri),
      [BOB],
    );
  }
});

test("TS 24.229 §5.4.3.3: or it ends with the server: 500, 408 and, of other methods, 504", async () => {
  for (const [method, onInitialRequest, ms, status] of [
    ["INVITE", throws, 0, 500],
    ["INVITE", never, 2_010, 408],
    ["MESSAGE", never, 2_010, 504],
  ] as const) {
    const b = await bench({ onInitialRequest }, "terminate");
    const sent = [...(await fromAlice(b, method)), ...(await b.advance(ms))];
    assert.deepEqual(
      sent.map((each) => each.status),
      [status],
    );
  }
});

test("TS 24.229 §5.4.3.3: a server that has let the call ring keeps it, whatever it throws then", async () => {
  const b = await bench(
    {
      onInitialRequest(call) {
        call.forward(call.copy(), { onResponse: throws });
        throw new Error("after it has left");
      },
    },
    "continue",
  );
  const [asked, ...more] = await fromAlice(b);
  assert.deepEqual([asked?.requestUri, more.length], [BOB, 0]);
  assert.ok(asked);
  const [answer] = await b.send(b.answer(asked, 200), b.dialled());
  assert.equal(answer?.status, 200);
});
