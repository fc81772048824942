import assert from "node:assert/strict";
import { test } from "node:test";
import { ellisOpenApiDocument } from "@ims/api";
import { fakeClock, memoryLogger } from "@ims/runtime/testing";
import { Validator } from "@seriousme/openapi-schema-validator";
import { type EllisServerModules, ellisServer } from "../../src/http/server.ts";
import { startEllis } from "../support/ellis-under-test.ts";

interface Operation {
  readonly method: string;
  /** Parameters without their names. */
  readonly path: string;
  readonly role: string | undefined;
}

/** The contract itself, who is alive, and a path of Clearwater's before /gab; pages are not in it either. */
const NOT_IN_IT = new Set(["/openapi.json", "/ping", "/1/gab"]);

function documented(document: Record<string, unknown>): Operation[] {
  const paths = document["paths"] as Record<string, Record<string, { readonly "x-role"?: string }>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => method !== "parameters")
      .map(([method, { "x-role": role }]) => ({
        ...{ method: method.toUpperCase(), path: path.replace(/\{[^}]*\}/g, "{}"), role },
      })),
  );
}

/** Stands for whatever routes are given; none of them is asked. */
const anything: unknown = new Proxy(() => undefined, {
  get: (_, name) => (name === Symbol.iterator ? () => [].values() : anything),
  apply: () => anything,
});

async function served() {
  const given: Partial<Record<string, unknown>> = {
    clock: fakeClock(),
    log: memoryLogger(),
    pages: new Map(),
  };
  const modules = new Proxy(given, { get: (known, name) => known[String(name)] ?? anything });
  const server = ellisServer(
    { host: "127.0.0.1", port: 0, trustedProxies: [] },
    modules as unknown as EllisServerModules,
  );
  await server.start();
  await server.stop();
  return server.routes.filter(
    ({ method, url, resource }) => method !== "HEAD" && resource !== "pages" && !NOT_IN_IT.has(url),
  );
}

const textOf = ({ method, path, role }: Operation): string => `${method} ${path} ${role ?? ""}`;

test("OpenAPI 3.1: the contract of ellis is valid, and served", async (t) => {
  const { ask } = await startEllis(t);
  const answer = (await ask("GET", "/openapi.json")).json;
  assert.deepEqual(answer, JSON.parse(JSON.stringify(ellisOpenApiDocument())));
  const validator = new Validator();
  const result = await validator.validate(structuredClone(answer));
  assert.deepEqual(result, { valid: true });
  assert.equal(validator.version, "3.1");
  const wrong = structuredClone(answer) as { paths: Record<string, Record<string, unknown>> };
  Object.assign(wrong.paths["/session"] ?? {}, { get: { responses: "nothing" } });
  assert.equal((await new Validator().validate(wrong)).valid, false);
});

test("OpenAPI 3.1: every route is in the contract with the role that it takes, and everything in the contract is a route", async () => {
  const routes = await served();
  const operations = documented(ellisOpenApiDocument());
  assert.deepEqual(
    routes
      .map(({ method, url, role }) => textOf({ method, path: url.replace(/:[A-Za-z]+/g, "{}"), role }))
      .toSorted(),
    operations.map(textOf).toSorted(),
  );
  assert.ok(operations.length > 40, String(operations.length));
});

test("every route of staff states a role, and every one that changes something its name in the audit log", async () => {
  const routes = await served();
  const staff = routes.filter(({ url }) => url.startsWith("/staff"));
  assert.ok(staff.length > 20, String(staff.length));
  for (const { method, url, role, audit } of staff) {
    assert.notEqual(role, undefined, `${method} ${url}`);
    if (method !== "GET") assert.match(audit ?? "", /^[a-z]+\.[a-z-]+$/, `${method} ${url}`);
  }
});
