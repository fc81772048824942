import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { createHealth, metricsRegister, type Service, systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { DEFAULT_TIMERS, parseMessage, responseTo, type SipMessage } from "@ims/sip";
import { BonoError, type BonoOptions, bonoOptions, createBono } from "../src/index.ts";

const EPHEMERAL = { sipPort: 0, tlsPort: 0, wsPort: 0, wssPort: 0, corePort: 0, managementPort: 0 };

interface Running {
  readonly service: Service;
  readonly port: (name: string) => number;
  readonly scrape: () => Promise<string>;
}

async function start(t: TestContext, options: Partial<BonoOptions>): Promise<Running> {
  const register = metricsRegister();
  const service = createBono(bonoOptions.parse({ ...EPHEMERAL, ...options }), {
    log: memoryLogger(),
    register,
    clock: systemClock(),
    health: createHealth(),
    pacer: { received: () => undefined },
    timers: { ...DEFAULT_TIMERS, t1: 20 }, // Timer J ends with the test
  });
  await service.start();
  t.after(() => service.stop());
  return { service, port: (name) => service.ports?.()[name] ?? 0, scrape: () => register.scrape() };
}

/** An I-CSCF that answers every REGISTER 200 and keeps what it got. */
async function icscf(t: TestContext): Promise<{ port: number; got: SipMessage[]; flows: Set<Socket> }> {
  const got: SipMessage[] = [];
  const flows = new Set<Socket>();
  const server = createServer((socket) => {
    flows.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      const parsed = parseMessage(data.toString("latin1"));
      if (parsed.kind !== "message" || !parsed.message.isRequest) return;
      got.push(parsed.message);
      const answer = responseTo(parsed.message, 200, { toTag: "reg" });
      answer.append("Contact", `${parsed.message.header("Contact")};expires=600`);
      answer.append("Service-Route", `<sip:127.0.0.1:${port};transport=tcp;lr;orig>`);
      answer.append("P-Associated-URI", "<sip:alice@example.com>");
      socket.write(answer.toString());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  t.after(() => {
    for (const flow of flows) flow.destroy();
    server.close();
  });
  return { port, got, flows };
}

function registerText(protocol: string): string {
  return [
    "REGISTER sip:example.com SIP/2.0",
    `Via: SIP/2.0/${protocol} 10.1.1.1:5060;branch=z9hG4bK${protocol};rport`,
    "Max-Forwards: 70",
    "From: <sip:alice@example.com>;tag=f1",
    "To: <sip:alice@example.com>",
    `Call-ID: ${protocol}`,
    "CSeq: 1 REGISTER",
    "Contact: <sip:alice@10.1.1.1>",
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

function overStream(t: TestContext, socket: Socket, text: string): Promise<SipMessage> {
  t.after(() => socket.destroy());
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.on("data", (data) => {
      const parsed = parseMessage(data.toString("latin1"));
      if (parsed.kind === "message") resolve(parsed.message);
    });
    socket.write(text);
  });
}

function overUdp(t: TestContext, port: number, text: string): Promise<SipMessage> {
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  return new Promise((resolve) => {
    socket.on("message", (data) => {
      const parsed = parseMessage(data.toString("latin1"));
      if (parsed.kind === "message") resolve(parsed.message);
    });
    socket.send(text, port, "127.0.0.1");
  });
}

function overWebSocket(t: TestContext, port: number, text: string): Promise<SipMessage> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, "sip");
  t.after(() => socket.close());
  return new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error("WebSocket failed"));
    socket.onopen = () => socket.send(text);
    socket.onmessage = ({ data }) => {
      const parsed = parseMessage(String(data));
      if (parsed.kind === "message") resolve(parsed.message);
    };
  });
}

function certificate(t: TestContext): { tlsCertFile: string; tlsKeyFile: string } {
  const dir = mkdtempSync(join(tmpdir(), "bono-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [tlsKeyFile, tlsCertFile] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const files = ["-keyout", tlsKeyFile, "-out", tlsCertFile];
  execFileSync("openssl", ["req", "-x509", ...curve, ...files, "-days", "2", "-subj", "/CN=localhost"], {
    stdio: "pipe",
  });
  return { tlsCertFile, tlsKeyFile };
}

test("TS 24.229 §5.2.2.1: registrations over UDP, TCP, TLS and WebSocket reach the I-CSCF over one TCP connection", async (t) => {
  const home = await icscf(t);
  const bono = await start(t, { ...certificate(t), icscfUri: `sip:127.0.0.1:${home.port};transport=tcp` });
  const answers = [
    await overUdp(t, bono.port("udp"), registerText("UDP")),
    await overStream(t, connectTcp(bono.port("tcp"), "127.0.0.1"), registerText("TCP")),
    await overStream(
      t,
      connectTls({ port: bono.port("tls"), host: "127.0.0.1", rejectUnauthorized: false }),
      registerText("TLS"),
    ),
    await overWebSocket(t, bono.port("ws"), registerText("WS")),
  ];
  for (const answer of answers) {
    assert.equal(answer.status, 200);
    assert.equal(answer.has("Service-Route"), true);
    assert.equal(answer.has("Path"), false);
  }
  assert.equal(home.flows.size, 1);
  const corePort = bono.port("core-tcp");
  for (const request of home.got) {
    assert.match(
      request.header("Path") ?? "",
      new RegExp(`^<sip:[\\w-]+@127\\.0\\.0\\.1:${corePort};transport=tcp;lr>$`),
    );
    assert.equal(request.header("P-Visited-Network-ID"), "example.com");
  }
  const metrics = await bono.scrape();
  assert.match(metrics, /ims_bono_registered_flows 4/);
  assert.match(metrics, /ims_bono_sip_requests_total\{side="access",method="REGISTER"\} 4/);
});

test("certificate and key may stand in the configuration itself, which refuses what is none", async (t) => {
  const home = await icscf(t);
  const { tlsCertFile, tlsKeyFile } = certificate(t);
  const base64 = (file: string): string => readFileSync(file).toString("base64");
  const inline = { tlsCert: base64(tlsCertFile), tlsKey: base64(tlsKeyFile) };
  const bono = await start(t, { ...inline, icscfUri: `sip:127.0.0.1:${home.port};transport=tcp` });
  const ue = connectTls({ port: bono.port("tls"), host: "127.0.0.1", rejectUnauthorized: false });
  assert.equal((await overStream(t, ue, registerText("TLS"))).status, 200);
  for (const wrong of [{ tlsCert: inline.tlsKey }, { tlsKey: inline.tlsCert }, { tlsCert: "chain.pem" }])
    assert.equal(bonoOptions.safeParse(wrong).success, false);
});

test("without a certificate there is no TLS; with half of one, a wrong file or a short key bono does not start", async (t) => {
  const bono = await start(t, {});
  assert.equal(bono.service.ports?.()["tls"], undefined);
  const wrong = (options: Partial<BonoOptions>, code: string): void => {
    const create = (): unknown =>
      createBono(bonoOptions.parse({ ...EPHEMERAL, ...options }), {
        log: memoryLogger(),
        register: metricsRegister(),
        clock: systemClock(),
        health: createHealth(),
        pacer: { received: () => undefined },
      });
    assert.throws(create, (error) => error instanceof BonoError && error.detail.code === code);
  };
  wrong({ tlsCertFile: "/nowhere/cert.pem" }, "BONO_TLS_INCOMPLETE");
  wrong({ tlsCert: Buffer.from("-----BEGIN CERTIFICATE-----").toString("base64") }, "BONO_TLS_INCOMPLETE");
  wrong({ tlsCertFile: "/nowhere/cert.pem", tlsKeyFile: "/nowhere/key.pem" }, "BONO_TLS_FILE");
  wrong({ tlsCertFile: import.meta.filename, tlsKeyFile: import.meta.filename }, "BONO_TLS_FILE");
  wrong({ flowTokenKey: "00112233" }, "BONO_BAD_KEY");
  wrong({ icscfUri: "tel:+1" }, "BONO_BAD_URI");
  wrong({ host: "192.0.2.1", icscfUri: "sip:icscf.example.com" }, "BONO_CORE_OPEN");
  wrong({ host: "0.0.0.0", icscfUri: "sip:192.0.2.9" }, "BONO_CORE_ADDRESS");
});

test("quiesce waits for no more than calls being set up, and refuses what is new", async (t) => {
  const home = await icscf(t);
  const bono = await start(t, { icscfUri: `sip:127.0.0.1:${home.port};transport=tcp` });
  await bono.service.quiesce(new AbortController().signal);
  const answer = await overUdp(t, bono.port("udp"), registerText("UDP"));
  assert.equal(answer.status, 503);
  assert.equal(answer.header("Retry-After"), "5");
});
