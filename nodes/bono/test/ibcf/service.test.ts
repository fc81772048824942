import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { createHealth, type Health, metricsRegister, type Service, systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { DEFAULT_TIMERS, parseMessage, responseTo, type SipMessage } from "@ims/sip";
import { BonoError, type BonoOptions, bonoOptions, createBono } from "../../src/index.ts";

const EPHEMERAL = {
  ...{ sipPort: 0, tlsPort: 0, wsPort: 0, wssPort: 0, corePort: 0 },
  ...{ ibcfPort: 0, ibcfTlsPort: 0, managementPort: 0 },
};

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "ibcf-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function start(
  t: TestContext,
  options: Partial<BonoOptions>,
): Promise<{ port: (name: string) => number; scrape: () => Promise<string>; health: Health }> {
  const register = metricsRegister();
  const health = createHealth();
  const service: Service = createBono(bonoOptions.parse({ ...EPHEMERAL, ...options }), {
    log: memoryLogger(),
    register,
    clock: systemClock(),
    health,
    pacer: { received: () => undefined },
    timers: { ...DEFAULT_TIMERS, t1: 20 },
  });
  await service.start();
  t.after(() => service.stop());
  return { port: (name) => service.ports?.()[name] ?? 0, scrape: () => register.scrape(), health };
}

/** An I-CSCF that answers every request 200 and keeps what it got. */
async function icscf(t: TestContext): Promise<{ port: number; got: SipMessage[] }> {
  const got: SipMessage[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      const parsed = parseMessage(data.toString("latin1"));
      if (parsed.kind !== "message" || !parsed.message.isRequest) return;
      got.push(parsed.message);
      socket.write(responseTo(parsed.message, 200, { toTag: "core" }).toString());
    });
    t.after(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, got };
}

/** A peer on a loopback address; what it sends is answered, or "silence" within a second. */
async function peerAt(
  t: TestContext,
  host: string,
): Promise<{ port: number; ask: (text: string, port: number) => Promise<string> }> {
  const socket: Socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  t.after(() => socket.close());
  const ask = (text: string, port: number): Promise<string> =>
    new Promise((resolve) => {
      const late = setTimeout(() => resolve("silence"), 1_000);
      socket.on("message", (data) => {
        const answer = data.toString("latin1");
        if (!/^SIP\/2\.0 [2-6]/.test(answer)) return;
        clearTimeout(late);
        socket.removeAllListeners("message");
        resolve(answer);
      });
      socket.send(text, port, "127.0.0.1");
    });
  return { port: socket.address().port, ask };
}

function message(host: string, port: number, callId: string): string {
  return [
    "MESSAGE sip:alice@example.com SIP/2.0",
    `Via: SIP/2.0/UDP ${host}:${port};branch=z9hG4bK${callId}`,
    "Max-Forwards: 70",
    "From: <sip:bob@peer.example>;tag=f1",
    "To: <sip:alice@example.com>",
    `Call-ID: ${callId}`,
    "CSeq: 1 MESSAGE",
    "P-Asserted-Identity: <sip:president@example.com>",
    "Content-Type: text/plain",
    "Content-Length: 5",
    "",
    "hello",
  ].join("\r\n");
}

test("TS 24.229 §5.10.3.2: over real sockets a peer reaches the I-CSCF by its address, a stranger does not; the access side is no way around", async (t) => {
  const core = await icscf(t);
  const file = join(folderOf(t), "peers.json");
  writeFileSync(file, JSON.stringify({ peers: [{ name: "peer", addresses: ["127.0.0.61"] }] }));
  const { port, scrape } = await start(t, {
    icscfUri: `sip:127.0.0.1:${core.port};transport=tcp`,
    ibcfPeersFile: file,
  });
  const [peer, stranger] = [await peerAt(t, "127.0.0.61"), await peerAt(t, "127.0.0.62")];
  const ask = (from: typeof peer, host: string, callId: string, side: string): Promise<string> =>
    from.ask(message(host, from.port, callId), port(side));
  assert.match(await ask(peer, "127.0.0.61", "in", "ibcf-udp"), /^SIP\/2\.0 200/);
  assert.match(await ask(stranger, "127.0.0.62", "out", "ibcf-udp"), /^SIP\/2\.0 403/);
  assert.match(await ask(peer, "127.0.0.61", "around", "udp"), /^SIP\/2\.0 403/);
  assert.deepEqual(
    core.got.map((one) => [one.callId, one.has("P-Asserted-Identity")]),
    [["in", false]],
  );
  const metrics = await scrape();
  assert.match(metrics, /ims_bono_ibcf_requests_total\{outcome="routed",direction="entry"\} 1\b/);
  assert.match(metrics, /ims_bono_ibcf_refused_total\{reason="foreignPeer"\} 1\b/);
});

test("the file of peers is followed: who is added is known without a restart, a file that is wrong changes nothing and is named", async (t) => {
  const core = await icscf(t);
  const file = join(folderOf(t), "peers.json");
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  write('{"peers":[]}');
  const { port, health } = await start(t, {
    icscfUri: `sip:127.0.0.1:${core.port};transport=tcp`,
    ibcfPeersFile: file,
  });
  const peer = await peerAt(t, "127.0.0.63");
  let asked = 0;
  const answered = async (start: string): Promise<boolean> => {
    const text = message("127.0.0.63", peer.port, `follow${++asked}`);
    return (await peer.ask(text, port("ibcf-udp"))).startsWith(start);
  };
  const until = async (fits: () => boolean | Promise<boolean>): Promise<void> => {
    for (let turn = 0; turn < 100; turn++) {
      if (await fits()) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail("nothing has changed");
  };
  assert.equal(await answered("SIP/2.0 403"), true);
  write('{"peers":[{"name":"peer","addresses":["127.0.0.63"]}]}');
  await until(() => answered("SIP/2.0 200"));
  write('{"peers":[{"name":"peer","addresses":["everywhere"]}]}');
  await until(() => health.notes().some((note) => /ibcfPeers: .*addresses\.0/.test(note)));
  const refused = health.alarms.active().find(({ problem }) => problem.id === "TW-1005");
  assert.equal(refused?.objectInstance, file);
  assert.match(refused?.additionalText ?? "", /addresses\.0/);
  assert.equal(await answered("SIP/2.0 200"), true);
});

/** A certificate for addresses, and its key. */
function certificate(folder: string, name: string, address: string): { cert: string; key: string } {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=IP:${address}`];
  execFileSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert, "-days", "2", ...names], {
    stdio: "pipe",
  });
  return { cert, key };
}

test("TLS both ways: a target whose certificate is vouched for is asked, another one hears nothing; a peer comes in over TLS", async (t) => {
  const folder = folderOf(t);
  const core = await icscf(t);
  const ours = certificate(folder, "ours", "127.0.0.1");
  const theirs = certificate(folder, "theirs", "127.0.0.61");
  const stranger = certificate(folder, "stranger", "127.0.0.61");
  const heard = async ({
    cert,
    key,
  }: {
    cert: string;
    key: string;
  }): Promise<{ port: number; got: string[] }> => {
    const got: string[] = [];
    const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (data) => void got.push(data.toString("latin1")));
      t.after(() => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.61", resolve));
    t.after(() => server.close());
    const address = server.address();
    return { port: typeof address === "object" && address !== null ? address.port : 0, got };
  };
  const [known, unknown] = [await heard(theirs), await heard(stranger)];
  const file = join(folder, "peers.json");
  const targets = [known, unknown].map(({ port }) => `sip:127.0.0.61:${port};transport=tls`);
  writeFileSync(file, JSON.stringify({ peers: [{ name: "peer", targets }] }));
  const { port } = await start(t, {
    icscfUri: `sip:127.0.0.1:${core.port};transport=tcp`,
    ...{ ibcfPeersFile: file, ibcfCaFile: theirs.cert, tlsCertFile: ours.cert, tlsKeyFile: ours.key },
  });
  for (let turn = 0; turn < 100 && known.got.length === 0; turn++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(known.got[0] ?? "nothing", /^OPTIONS sip:127\.0\.0\.61:[0-9]+;transport=tls SIP\/2\.0/);
  assert.deepEqual(unknown.got, []);

  const socket = connectTls({
    ...{ host: "127.0.0.1", port: port("ibcf-tls"), localAddress: "127.0.0.61" },
    ca: readFileSync(ours.cert),
  });
  t.after(() => socket.destroy());
  const answer = new Promise<string>((resolve) => {
    socket.on("data", (data) => {
      if (/^SIP\/2\.0 [2-6]/.test(data.toString("latin1"))) resolve(data.toString("latin1"));
    });
  });
  socket.write(message("127.0.0.61", 5061, "tls").replace("SIP/2.0/UDP", "SIP/2.0/TLS"));
  assert.match(await answer, /^SIP\/2\.0 200/);
});

test("without a file of peers there is no IBCF: no port of it, no metric of it", async (t) => {
  const { port, scrape } = await start(t, {});
  assert.equal(port("ibcf-udp"), 0);
  assert.doesNotMatch(await scrape(), /ibcf/);
});

test("a file of peers that cannot be used, or an address that nobody could be told, is a mistake at the start", (t) => {
  const file = join(folderOf(t), "peers.json");
  const fault = (options: Partial<BonoOptions>): unknown => {
    try {
      createBono(bonoOptions.parse({ ...EPHEMERAL, ...options }), {
        log: memoryLogger(),
        register: metricsRegister(),
        clock: systemClock(),
        health: createHealth(),
        pacer: { received: () => undefined },
      });
    } catch (error) {
      return error instanceof BonoError ? error.detail : error;
    }
    return "accepted";
  };
  const code = "BONO_PEERS_FILE";
  assert.deepEqual(fault({ ibcfPeersFile: file }), { code, file, problem: "cannot be read" });
  writeFileSync(file, '{"peers":[{"name":"a","targets":["x"]}]}');
  assert.deepEqual(fault({ ibcfPeersFile: file }), {
    ...{ code, file, problem: 'peers.0.targets.0: "x" is no SIP URI' },
  });
  writeFileSync(file, '{"peers":[]}');
  assert.deepEqual(fault({ ibcfPeersFile: file, ibcfHost: "0.0.0.0" }), {
    code: "BONO_IBCF_ADDRESS",
    problem:
      "the side of the peers is bound to 0.0.0.0: give its address with --ibcf-advertised-host or --ibcf-host",
  });
});
