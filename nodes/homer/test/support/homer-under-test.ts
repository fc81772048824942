import { hash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createHealth, loopPacer, metricsRegister, systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { createHomer, homerOptions } from "../../src/index.ts";

export const ALICE = "/simservs.ngn.etsi.org/users/sip:alice@example.com/simservs.xml";

/** What homestead answers, for alice@example.com with the password secret. */
export async function startHomestead(t: TestContext): Promise<{ url: string; stop(): Promise<void> }> {
  const publicIdentities = ["sip:alice@example.com", "tel:+4930123"];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const reply = (status: number, document: unknown): void => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(document));
      };
      if (request.url === "/subscribers/alice%40example.com/verify-digest") {
        const proof = JSON.parse(body) as Record<string, string>;
        const name = proof["algorithm"] === "MD5" ? "md5" : "sha256";
        const { nonce, nc, cnonce, qop, method, uri, response: given } = proof;
        const ha2 = hash(name, `${method}:${uri}`);
        const ha1 = hash(name, "alice@example.com:example.com:secret");
        const authenticated = given === hash(name, [ha1, nonce, nc, cnonce, qop, ha2].join(":"));
        return reply(200, authenticated ? { authenticated, publicIdentities } : { authenticated });
      }
      const [, impu] = /^\/public-identities\/(.*)$/.exec(request.url ?? "") ?? [];
      if (impu !== undefined && publicIdentities.includes(decodeURIComponent(impu)))
        return reply(200, { impi: "alice@example.com", publicIdentities });
      return reply(
        impu === undefined ? 200 : 404,
        impu === undefined
          ? { authenticated: false }
          : { type: "about:blank", title: "Unknown subscriber", status: 404 },
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  t.after(() => (server.listening ? stop() : undefined));
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, stop };
}

export interface HomerUnderTest {
  readonly ut: string;
  readonly core: string;
  notes(): string[];
}

export async function startHomer(
  t: TestContext,
  options: Record<string, unknown> = {},
): Promise<HomerUnderTest> {
  const stateDir = mkdtempSync(join(tmpdir(), "homer-"));
  const health = createHealth();
  const clock = systemClock();
  const service = await createHomer(homerOptions.parse({ utPort: 0, corePort: 0, stateDir, ...options }), {
    clock,
    log: memoryLogger("silent"),
    register: metricsRegister(),
    health,
    pacer: loopPacer({ aboveRate: 0, pauseMs: 0 }),
  });
  await service.start();
  t.after(async () => {
    await service.stop();
    rmSync(stateDir, { recursive: true });
  });
  const ports = service.ports?.() ?? {};
  return {
    ut: `http://127.0.0.1:${ports["ut"]}`,
    core: `http://127.0.0.1:${ports["core"]}`,
    notes: () => health.notes(),
  };
}
