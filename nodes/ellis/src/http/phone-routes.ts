import type { PhoneConfiguration } from "@ims/api";
import type { FastifyInstance } from "fastify";
import { requesterOf } from "./admission.ts";
import { succeed } from "./replies.ts";
import type { TurnModules } from "./turn-routes.ts";

/** The softphone of this ellis. */
export interface Phone {
  /** WebSocket URLs of P-CSCFs, preferred one first; empty: there is no phone. */
  readonly servers: readonly string[];
  readonly homeDomain: string;
}

export interface PhoneModules extends TurnModules {
  readonly phone: Phone;
  /** Of the portal, by name. */
  readonly pages: ReadonlyMap<string, Buffer>;
}

/** The softphone: a page that is a UE over WebSocket (RFC 7118), and what it has to know. */
export function phoneRoutes(app: FastifyInstance, modules: PhoneModules): void {
  const { phone, turn, pages } = modules;
  const { servers, homeDomain } = phone;
  // Our own files, our own API and the P-CSCFs, nothing else: what a caller is called cannot become a script.
  const policy = [
    "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    // A policy cannot name IPv6 addresses.
    [
      "connect-src 'self'",
      ...servers.map((url) => (url.includes("[") ? (url.split("//")[0] ?? "") : url)),
    ].join(" "),
  ].join("; ");
  app.get("/phone", { config: { resource: "pages" } }, async (_request, reply) =>
    reply
      .headers({
        "cache-control": "no-cache",
        "content-security-policy": policy,
        "permissions-policy": "microphone=(self), camera=(self)",
        "referrer-policy": "no-referrer",
      })
      .type("text/html; charset=utf-8")
      .send(pages.get("phone/phone.html")),
  );
  app.get("/phone/configuration", { config: { resource: "phone" } }, async (request, reply) => {
    await requesterOf(request, modules);
    const configuration: PhoneConfiguration = {
      servers: [...servers],
      home_domain: homeDomain,
      turn: turn !== undefined,
    };
    return succeed(request, reply, 200, { ...configuration });
  });
}
