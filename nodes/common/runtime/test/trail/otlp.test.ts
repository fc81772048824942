import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { metricsRegister, Trail, type TrailContent, type TrailReader } from "@ims/runtime";
import { otlpExport } from "../../src/trail/otlp/otlp-export.ts";
import type { Span } from "../../src/trail/otlp/span.ts";
import { SpanBuilder } from "../../src/trail/otlp/span-builder.ts";
import { fakeClock, memoryLogger } from "../../testing/index.ts";

const ACCESS = { protocol: "UDP", side: "access", local: "192.0.2.1:5060", remote: "198.51.100.7:5060" };
const CORE = { protocol: "TCP", side: "core", local: "192.0.2.1:5058", remote: "192.0.2.2:5052" };

function request(method: string, branch: string, more: Partial<TrailContent> = {}): TrailContent {
  const message = `${method}|${branch}|1 ${method === "ACK" ? "INVITE" : method}|c1`;
  return { kind: "sip", title: method, callId: "c1", request: true, method, message, ...more };
}

function response(status: number, method: string, branch: string): TrailContent {
  const message = `${status}|${branch}|1 ${method}|c1`;
  return { kind: "sip", title: `${status}`, callId: "c1", request: false, method, status, message };
}

const seen = (content: TrailContent, direction: "in" | "out", time: number, ends: typeof CORE = CORE) => ({
  ...{ content, direction, time, ends },
});

test("OpenTelemetry: a call is one trace over its nodes, each hop the child of the one before it", () => {
  const [bono, sprout] = [new SpanBuilder(), new SpanBuilder()];
  const steps: [SpanBuilder, Parameters<SpanBuilder["see"]>[0]][] = [
    [bono, seen(request("INVITE", "ue1", { fields: { from: "sip:a@x", to: "sip:b@x" } }), "in", 1, ACCESS)],
    [bono, seen(request("INVITE", "b1"), "out", 2)],
    [bono, seen(request("INVITE", "b1"), "out", 2.5)], // sent again
    [sprout, seen(request("INVITE", "b1", { icid: "i1" }), "in", 3)],
    [sprout, seen(response(180, "INVITE", "b1"), "out", 4)],
    [sprout, seen(response(486, "INVITE", "b1"), "out", 5)],
    [bono, seen(response(486, "INVITE", "b1"), "in", 6)],
    [bono, seen(response(486, "INVITE", "ue1"), "out", 7, ACCESS)],
    [bono, seen(request("ACK", "ue1"), "in", 8, ACCESS)],
  ];
  const spans = steps.flatMap(([builder, step]) => builder.see(step) ?? []);
  assert.deepEqual([bono.open, sprout.open], [0, 0]);
  const [served, left, came] = spans as [Span, Span, Span];
  assert.equal(spans.length, 3);
  assert.deepEqual(
    spans.map(({ name, kind, start, end, failed }) => [name, kind, start, end, failed]),
    [
      ["SIP INVITE", "server", 3, 5, true],
      ["SIP INVITE", "client", 2, 6, true],
      ["SIP INVITE", "server", 1, 7, true],
    ],
  );
  assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
  assert.match(came.traceId, /^[0-9a-f]{32}$/);
  assert.match(came.spanId, /^[0-9a-f]{16}$/);
  assert.deepEqual(
    [came.parentSpanId, left.parentSpanId, served.parentSpanId],
    ["", came.spanId, left.spanId],
  );
  assert.deepEqual([came.attributes["sip.from"], served.attributes["ims.icid"]], ["sip:a@x", "i1"]);
  assert.deepEqual(
    [came.attributes["sip.status_code"], came.attributes["network.peer.address"]],
    [486, ACCESS.remote],
  );
});

test("OpenTelemetry: what is never answered ends as failed, and no more is remembered than that", () => {
  const builder = new SpanBuilder();
  builder.see(seen(request("INVITE", "b1"), "in", 1_000));
  builder.see(seen(request("MESSAGE", "b2"), "in", 200_000));
  assert.deepEqual(builder.abandoned(250_000), []);
  const gone = builder.abandoned(400_000);
  assert.deepEqual(
    gone.map(({ name, end, failed }) => [name, end, failed]),
    [["SIP INVITE", 400_000, true]],
  );
  assert.equal(builder.open, 1);
  for (let one = 0; one < 25_000; one++) builder.see(seen(request("OPTIONS", `x${one}`), "out", 400_001));
  builder.abandoned(400_002);
  assert.equal(builder.open, 20_000);
});

/** Contents as JSON. */
const reader: TrailReader = { read: (bytes) => JSON.parse(bytes.toString("latin1")) as TrailContent };

async function collector(
  t: TestContext,
  listener: Parameters<typeof createServer>[1],
): Promise<[Server, string]> {
  const server = createServer(listener ?? (() => undefined));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`];
}

async function start(t: TestContext, url: string) {
  const clock = fakeClock();
  const trail = new Trail({ bytes: 4_000_000, steps: 10_000, clock, origin: () => 1_767_225_600_000 });
  const kind = trail.addReader("sip", reader);
  const register = metricsRegister();
  const service = otlpExport(
    { url, node: "bono", sample: 1, rate: 1_000_000 },
    { trail, spare: { share: 1 }, clock, register, log: memoryLogger() },
  );
  await service.start();
  t.after(() => service.stop());
  const tell = (content: TrailContent, direction: "in" | "out"): void =>
    trail.text(kind, direction, CORE, JSON.stringify(content));
  const counted = async (series: string): Promise<number> =>
    Number(
      (await register.scrape())
        .split("\n")
        .find((line) => line.startsWith(`${series} `))
        ?.split(" ")
        .at(-1),
    );
  return { clock, tell, counted, service };
}

test("OTLP/HTTP: spans are posted as JSON of ExportTraceServiceRequest, in batches", async (t) => {
  const bodies: string[] = [];
  const [server, url] = await collector(t, (incoming, answer) => {
    incoming.setEncoding("utf8");
    let body = "";
    incoming.on("data", (part: string) => {
      body += part;
    });
    incoming.on("end", () => {
      bodies.push(`${incoming.method} ${incoming.url} ${incoming.headers["content-type"]} ${body}`);
      answer.end("{}");
      server.emit("told");
    });
  });
  const { clock, tell, counted } = await start(t, url);
  for (let one = 0; one < 501; one++) {
    tell(request("MESSAGE", `b${one}`), "in");
    clock.advance(0.25);
    tell(response(200, "MESSAGE", `b${one}`), "out");
  }
  const first = once(server, "told");
  clock.advance(1_000);
  await first;
  if (bodies.length < 2) await once(server, "told");
  const [head = "", ...rest] = bodies[0]?.split(" {") ?? [];
  assert.equal(head, "POST /v1/traces application/json");
  const sent = JSON.parse(`{${rest.join(" {")}`) as {
    resourceSpans: {
      resource: { attributes: object[] };
      scopeSpans: { spans: Record<string, unknown>[] }[];
    }[];
  };
  assert.deepEqual(sent.resourceSpans[0]?.resource.attributes[0], {
    key: "service.name",
    value: { stringValue: "bono" },
  });
  const spans = sent.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
  assert.equal(spans.length, 500);
  const [span] = spans;
  assert.deepEqual(
    [
      span?.["name"],
      span?.["kind"],
      span?.["startTimeUnixNano"],
      span?.["endTimeUnixNano"],
      span?.["status"],
    ],
    ["SIP MESSAGE", 2, "1767225600000000000", "1767225600000250000", {}],
  );
  assert.deepEqual((span?.["attributes"] as object[] | undefined)?.at(-1), {
    key: "sip.status_code",
    value: { intValue: "200" },
  });
  for (
    const end = Date.now() + 5_000;
    (await counted("ims_otlp_spans_sent_total")) < 501 && Date.now() < end;
  )
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await counted("ims_otlp_spans_sent_total"), 501);
});

test("a collector of traces that hangs or is gone: what waits is bounded, the rest is counted", async (t) => {
  const [server, url] = await collector(t, () => undefined);
  const { clock, tell, counted } = await start(t, url);
  const answered = (count: number): void => {
    for (let one = 0; one < count; one++) {
      tell(request("MESSAGE", `b${one}`), "in");
      tell(response(200, "MESSAGE", `b${one}`), "out");
    }
  };
  answered(1);
  const asked = once(server, "request");
  clock.advance(1_000);
  await asked;
  answered(6_000);
  assert.equal(await counted('ims_otlp_spans_dropped_total{reason="queue"}'), 1_000);
  server.closeAllConnections();
  server.close();
  for (
    const end = Date.now() + 5_000;
    (await counted('ims_otlp_spans_dropped_total{reason="away"}')) < 1 && Date.now() < end;
  )
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await counted('ims_otlp_spans_dropped_total{reason="away"}'), 1);
});
