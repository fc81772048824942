import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
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

const TTL_SECONDS = 1;

function modules(): ServiceModules {
  return {
    log: memoryLogger("warn"),
    register: metricsRegister(),
    clock: systemClock(),
    health: createHealth(),
    pacer: { received: () => undefined },
  };
}

/** A zone that the test writes as members get their ports. */
class Zone {
  readonly replies: Record<string, DnsReply | null> = {};

  service(name: string, members: readonly (readonly [member: string, port: number])[]): void {
    this.replies[`SRV ${name}`] = {
      answers: members.map(([target, port], priority) => ({
        ...{ type: "SRV", name, ttl: TTL_SECONDS },
        data: { priority, weight: 1, port, target },
      })),
    };
  }

  address(name: string, address: string): void {
    this.replies[`A ${name}`] = { answers: [{ type: "A", name, ttl: TTL_SECONDS, data: address }] };
  }
}

async function started(t: TestContext, service: Service): Promise<(name: string) => number> {
  t.after(() => service.stop());
  await service.start();
  return (name) => service.ports?.()[name] ?? assert.fail(name);
}

test("RFC 3263: pools found by DNS alone, by the same names; calls go on while no DNS server answers", async (t) => {
  const zone = new Zone();
  const dns = await dnsServer(t, zone.replies);
  const dnsServers = [`127.0.0.1:${dns.port}`];
  const stateDir = mkdtempSync(join(tmpdir(), "dns-pools-"));
  t.after(() => rmSync(stateDir, { recursive: true }));

  const homestead = homesteadOptions.parse({
    ...{ host: "127.0.0.1", diameterPort: 0, provisioningPort: 0, stateDir, seedExamples: "true" },
    diameterHost: "homestead-1.homestead.example.com",
  });
  const hss = await started(t, await createHomestead(homestead, modules()));
  zone.service("_diameter._tcp.homestead.example.com", [
    ["homestead-1.homestead.example.com", hss("diameter")],
  ]);
  zone.address("homestead-1.homestead.example.com", "127.0.0.1");

  const sprout = sproutOptions.parse({
    ...{ host: "127.0.0.1", icscfPort: 0, scscfPort: 0, advertisedHost: "sprout-1.sprout.example.com" },
    ...{ hssPool: "homestead.example.com", dnsServers },
  });
  const cscf = await started(t, await createSprout(sprout, modules()));
  for (const name of ["icscf", "scscf"])
    zone.service(`_sip._tcp.${name}.sprout.example.com`, [
      ["sprout-1.sprout.example.com", cscf(`${name}-tcp`)],
    ]);
  zone.address("sprout-1.sprout.example.com", "127.0.0.1");

  const bono = bonoOptions.parse({
    ...{ host: "127.0.0.1", sipPort: 0, wsPort: 0, corePort: 0, dnsServers },
    ...{
      coreAdvertisedHost: "bono-1.bono.example.com",
      icscfUri: "sip:icscf.sprout.example.com;transport=tcp",
    },
  });
  const edge = await started(t, createBono(bono, modules()));
  zone.service("_sip._tcp.bono-1.bono.example.com", [["bono-1.bono.example.com", edge("core-tcp")]]);
  zone.address("bono-1.bono.example.com", "127.0.0.1");

  const sip = {
    host: "127.0.0.1",
    udpPort: edge("udp"),
    tcpPort: edge("tcp"),
    tlsPort: 0,
    wsPort: 0,
    wssPort: 0,
  };
  const core: CoreOfUe = { domain: "example.com", sip };
  const [alice, bob] = [
    await SipUe.open(t, core, { user: "6505550000" }),
    await SipUe.open(t, core, { user: "6505550001" }),
  ];
  for (const ue of [alice, bob]) assert.equal((await ue.register()).status, 200);
  assert.deepEqual(alice.serviceRoute, ["<sip:scscf.sprout.example.com;transport=tcp;lr;orig>"]);

  const call = async (): Promise<void> => {
    const established = await establish(alice, bob, bob.impu);
    alice.send(established.inDialog("caller", "BYE"));
    reply(bob, await bob.incoming("BYE"), 200);
    assert.equal((await alice.final("BYE")).status, 200);
  };
  await call();
  for (const asked of dns.asked) zone.replies[asked.slice(asked.indexOf(" ") + 1)] = null;
  await new Promise((resolve) => setTimeout(resolve, TTL_SECONDS * 1000 + 100));
  const began = performance.now();
  await call();
  assert.ok(performance.now() - began < 4000, `a call took ${performance.now() - began} ms`);
});
