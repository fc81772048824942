import { readFileSync } from "node:fs";
import { DiameterNode } from "@ims/diameter";
import { cx } from "@ims/diameter/cx";
import { nodeResolver, type Service, type ServiceModules } from "@ims/runtime";
import {
  dnsQueries,
  hostForUri,
  NodeTransportLayer,
  ProxyCore,
  parseUri,
  SipLocator,
  trustedLimits,
} from "@ims/sip";
import { memoryStore } from "@ims/store";
import { z } from "zod";
import { addressesOf } from "./addresses.ts";
import { DiameterCx, handleCxRequests } from "./cx/diameter-cx.ts";
import { SproutError } from "./errors.ts";
import type { ConfiguredScscf } from "./icscf/scscf-selection.ts";
import type { SproutOptions } from "./options.ts";
import { Guard } from "./routing/guard.ts";
import { OwnUris } from "./routing/own-route.ts";
import { createEntities } from "./sprout.ts";

/** The HSS is waited for at most this long before sprout says it is ready; it keeps connecting afterwards. */
const HSS_WAIT_MS = 5_000;

/** How often quiesce looks whether something is still in progress. */
const QUIESCE_STEP_MS = 50;

/** Composition root of sprout: I-CSCF and S-CSCF on one ProxyCore, Cx towards the HSS. */
export async function createSprout(options: SproutOptions, modules: ServiceModules): Promise<Service> {
  const { log, register, clock, pacer, health } = modules;
  const addresses = addressesOf(options);
  const advertised = hostForUri(addresses.uriHost);
  const uriOf = (given: string, port: number): string =>
    given === "" ? `sip:${advertised}:${port};transport=tcp` : given;
  const scscfUri = checkedUri("scscf-uri", uriOf(options.scscfUri, options.scscfPort));
  const icscfUri = checkedUri("icscf-uri", uriOf(options.icscfUri, options.icscfPort));

  // Cx
  const diameter = new DiameterNode({
    originHost: options.diameterHost === "" ? `sprout.${options.homeDomain}` : options.diameterHost,
    originRealm: options.homeDomain,
    productName: "Tidewater sprout",
    applications: [cx],
    clock,
    pacer,
    log,
    register,
    metricsPrefix: "ims_sprout_diameter",
  });
  options.hssPeer.forEach((peer, priority) => {
    diameter.addPeer({ ...hostAndPort(peer), priority });
  });
  const hss = new DiameterCx(diameter, {
    realm: options.hssRealm === "" ? options.homeDomain : options.hssRealm,
    host: options.hssHost === "" ? undefined : options.hssHost,
    timeoutMs: options.hssTimeoutMs,
  });

  // Functional entities
  const entities = createEntities({
    options: { ...options, scscfUri, icscfUri, side: "scscf" },
    scscfs:
      options.scscfFile === ""
        ? [{ uri: scscfUri, capabilities: [], priority: 0, weight: 1 }]
        : readScscfs(options.scscfFile),
    cx: hss,
    store: memoryStore({ clock }),
    clock,
    register,
  });
  handleCxRequests(diameter, entities.cxRequests);

  // SIP
  const { mayUse } = addresses;
  const guardModules = { mayUse, refused: entities.metrics.refused, parseUri };
  const icscf = new Guard(entities.icscf, { ...guardModules, own: new OwnUris([icscfUri]) });
  const scscf = new Guard(entities.scscf, { ...guardModules, own: new OwnUris([scscfUri]) });
  const core = new ProxyCore({
    sides: [
      { name: "icscf", entity: icscf, strict: false, answers: mayUse },
      { name: "scscf", entity: scscf, strict: false, answers: mayUse },
    ],
    locator: new SipLocator({ dns: dnsQueries(nodeResolver(clock)), clock, supported: ["TCP", "UDP"] }),
    clock,
    transport: (handler) => new NodeTransportLayer({ handler, clock, log, pacer, limits: trustedLimits }),
    counters: entities.metrics.sip,
    onDefect: (error, request) => {
      entities.metrics.defect();
      log.error({ err: error, method: request.method, callId: request.callId }, "procedure failed");
    },
  });

  const ports: Record<string, number> = {};
  return {
    async start() {
      health.addCheck("hss", () => (diameter.isConnected() ? undefined : "no HSS is connected"));
      diameter.start();
      for (const [side, port] of [
        ["icscf", options.icscfPort],
        ["scscf", options.scscfPort],
      ] as const)
        for (const protocol of ["TCP", "UDP"] as const) {
          const point = await core.transport.listen({ side, protocol, host: options.host, port });
          ports[`${side}-${protocol.toLowerCase()}`] = point.port;
        }
      if (!(await diameter.whenConnected(HSS_WAIT_MS)))
        log.warn({ peers: options.hssPeer }, "no HSS is connected yet");
    },
    quiesce(signal) {
      icscf.quiesce();
      scscf.quiesce();
      return new Promise((resolve) => {
        const look = (): void => {
          if (signal.aborted || icscf.ongoing + scscf.ongoing === 0) resolve();
          else clock.setTimer(QUIESCE_STEP_MS, look);
        };
        look();
      });
    },
    async stop() {
      entities.stop();
      await core.transport.stop();
      await diameter.stop();
    },
    ports: () => ports,
  };
}

function checkedUri(option: string, text: string): string {
  const uri = parseUri(text);
  if (uri === undefined || (uri.scheme !== "sip" && uri.scheme !== "sips"))
    throw new SproutError({ code: "SPROUT_BAD_URI", option, value: text });
  return text;
}

function hostAndPort(peer: string): { host: string; port: number } {
  const colon = peer.lastIndexOf(":");
  const bracket = peer.lastIndexOf("]");
  const withPort = colon > bracket;
  const host = (withPort ? peer.slice(0, colon) : peer).replace(/^\[|\]$/g, "");
  return { host, port: withPort ? Number(peer.slice(colon + 1)) : 3868 };
}

const scscfList = z
  .array(
    z.object({
      uri: z.string().refine((text) => parseUri(text)?.scheme.startsWith("sip") ?? false, "no SIP URI"),
      capabilities: z.array(z.int().min(0)).default([]),
      priority: z.int().min(0).default(0),
      weight: z.int().min(0).default(1),
    }),
  )
  .min(1);

function readScscfs(file: string): readonly ConfiguredScscf[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new SproutError({ code: "SPROUT_SCSCF_FILE", file, problem: "cannot be read" }, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SproutError({ code: "SPROUT_SCSCF_FILE", file, problem: "is not JSON" }, { cause });
  }
  const parsed = scscfList.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const problem = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "bad value"}`;
  throw new SproutError({ code: "SPROUT_SCSCF_FILE", file, problem });
}
