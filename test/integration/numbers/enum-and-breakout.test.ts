import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { bonoOptions, createBono } from "@ims/bono";
import { createHomestead, homesteadOptions } from "@ims/homestead";
import { createHealth, metricsRegister, type Service, type ServiceModules, systemClock } from "@ims/runtime";
import { type DnsReply, dnsServer, memoryLogger } from "@ims/runtime/testing";
import { createSprout, sproutOptions } from "@ims/sprout";
import { establish, reply } from "../../support/call-flow.ts";
import { type CoreOfUe, SipUe } from "../../support/sip-ue.ts";

function modules(): ServiceModules {
  return {
    log: memoryLogger("warn"),
    register: metricsRegister(),
    clock: systemClock(),
    health: createHealth(),
    pacer: { received: () => undefined },
  };
}

async function started(t: TestContext, service: Service): Promise<(name: string) => number> {
  t.after(() => service.stop());
  await service.start();
  return (name) => service.ports?.()[name] ?? assert.fail(name);
}

/** What a DNS server says of a number: a NAPTR record with this substitution expression. */
function naptr(number: string, services: string, regexp: string): Record<string, DnsReply> {
  const name = `${[...number].reverse().join(".")}.e164.example`;
  const data = { order: 100, preference: 10, flags: "u", services, regexp, replacement: "." };
  return { [`NAPTR ${name}`]: { answers: [{ type: "NAPTR", name, ttl: 300, data }] } };
}

test("TS 24.229 §5.4.3.2, §5.6: numbers by ENUM over DNS, to a user of ours and to gateways; a DNS server that is silent costs its time-out", async (t) => {
  const dns = await dnsServer(t, {
    ...naptr("15550001", "E2U+sip", "!^.*$!sip:6505550001@example.com!"),
    ...naptr("15550004", "E2U+pstn:tel", "!^(.*)$!tel:\\1;npdi;rn=+14045559000!"),
    "NAPTR 5.0.0.0.5.5.5.1.e164.example": null,
  });
  const folder = mkdtempSync(join(tmpdir(), "numbers-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const hss = await started(
    t,
    await createHomestead(
      homesteadOptions.parse({
        ...{
          host: "127.0.0.1",
          diameterPort: 0,
          provisioningPort: 0,
          stateDir: folder,
          seedExamples: "true",
        },
      }),
      modules(),
    ),
  );
  // The gateways are bound before the routes to them are written; they send nothing but answers.
  const nowhere: CoreOfUe = {
    domain: "gateway.example.net",
    sip: { host: "127.0.0.1", udpPort: 9, tcpPort: 9, tlsPort: 0, wsPort: 0, wssPort: 0 },
  };
  const gateway = await SipUe.open(t, nowhere, { user: "gateway" });
  const carrier = await SipUe.open(t, nowhere, { user: "carrier" });
  const bgcfFile = join(folder, "bgcf.json");
  const routes = [
    { number: "+1555", route: [`sip:127.0.0.1:${gateway.localPort}`] },
    { routing_number: "+1404", route: [`sip:127.0.0.1:${carrier.localPort}`] },
  ];
  writeFileSync(bgcfFile, JSON.stringify({ routes }));
  const running = modules();
  const cscf = await started(
    t,
    await createSprout(
      sproutOptions.parse({
        ...{
          host: "127.0.0.1",
          icscfPort: 0,
          scscfPort: 0,
          bgcfPort: 0,
          hssPeer: [`127.0.0.1:${hss("diameter")}`],
        },
        ...{
          icscfUri: "sip:icscf.example.com;transport=tcp",
          scscfUri: "sip:scscf.example.com;transport=tcp",
        },
        ...{ bgcfUri: "sip:bgcf.example.com;transport=tcp", bgcfFile },
        ...{ enumDomain: "e164.example", enumServers: [`127.0.0.1:${dns.port}`], enumTimeoutMs: 300 },
      }),
      running,
    ),
  );
  const address = (name: string, port: number): Record<string, DnsReply> => ({
    [`SRV _sip._tcp.${name}`]: {
      answers: [
        {
          type: "SRV",
          name: `_sip._tcp.${name}`,
          ttl: 300,
          data: { priority: 0, weight: 1, port, target: name },
        },
      ],
    },
    [`A ${name}`]: { answers: [{ type: "A", name, ttl: 300, data: "127.0.0.1" }] },
  });
  const names = await dnsServer(t, {
    ...address("icscf.example.com", cscf("icscf-tcp")),
    ...address("scscf.example.com", cscf("scscf-tcp")),
  });
  const edge = await started(
    t,
    createBono(
      bonoOptions.parse({
        ...{ host: "127.0.0.1", sipPort: 0, wsPort: 0, corePort: 0, dnsServers: [`127.0.0.1:${names.port}`] },
        icscfUri: "sip:icscf.example.com;transport=tcp",
      }),
      modules(),
    ),
  );
  const ports = { udpPort: edge("udp"), tcpPort: edge("tcp"), tlsPort: 0, wsPort: 0, wssPort: 0 };
  const core: CoreOfUe = { domain: "example.com", sip: { host: "127.0.0.1", ...ports } };
  const [alice, bob] = [
    await SipUe.open(t, core, { user: "6505550000" }),
    await SipUe.open(t, core, { user: "6505550001" }),
  ];
  for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);

  const call = async (callee: SipUe, uri: string): Promise<string> => {
    const established = await establish(alice, callee, uri);
    alice.send(established.inDialog("caller", "BYE"));
    reply(callee, await callee.incoming("BYE"), 200);
    assert.equal((await alice.final("BYE")).status, 200);
    return established.received.requestUri;
  };
  const known = await call(bob, "tel:+1-555-0001");
  assert.match(known, /^sip:6505550001@127\.0\.0\.1:/);
  assert.equal(await call(gateway, "tel:+15559999"), "tel:+15559999");
  assert.equal(
    await call(carrier, "sip:+15550004@example.com;user=phone"),
    "tel:+15550004;npdi;rn=+14045559000",
  );
  assert.equal(await call(gateway, "tel:+15550005"), "tel:+15550005");
  // Answers are kept: the same number again is not asked about again.
  const asked = dns.asked.filter((one) => one.includes("1.0.0.0.5.5.5.1")).length;
  await call(bob, "tel:+15550001");
  assert.equal(dns.asked.filter((one) => one.includes("1.0.0.0.5.5.5.1")).length, asked);

  const metrics = await running.register.scrape();
  for (const [outcome, count] of [
    ["uri", 3],
    ["none", 1],
    ["failed", 1],
  ] as const)
    assert.match(metrics, new RegExp(`ims_sprout_enum_total\\{outcome="${outcome}"\\} ${count}\\b`));
  assert.match(metrics, /ims_sprout_bgcf_requests_total\{outcome="routed"\} 3\b/);
});
