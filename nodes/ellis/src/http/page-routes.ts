import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { EllisError } from "../errors.ts";

const TYPES = new Map([
  ["index.html", "text/html; charset=utf-8"],
  ["portal.css", "text/css; charset=utf-8"],
  ["portal.js", "text/javascript; charset=utf-8"],
  ["api.js", "text/javascript; charset=utf-8"],
  ["numbers.js", "text/javascript; charset=utf-8"],
  ["services.js", "text/javascript; charset=utf-8"],
]);

/** Our own files, our own API, nothing else: what a user is called cannot become a script. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** The pages of the portal, read once. Throws EllisError. */
export function portalPages(
  folder: string = join(import.meta.dirname, "../pages"),
): ReadonlyMap<string, Buffer> {
  return new Map(
    [...TYPES.keys()].map((name) => {
      const file = join(folder, name);
      try {
        return [name, readFileSync(file)] as const;
      } catch (cause) {
        throw new EllisError(
          { code: "ELLIS_FILE", option: "pages", file, problem: "cannot be read" },
          { cause },
        );
      }
    }),
  );
}

/** Pages that people use the API with. */
export function pageRoutes(app: FastifyInstance, pages: ReadonlyMap<string, Buffer>): void {
  for (const [name, type] of TYPES)
    app.get(
      name === "index.html" ? "/" : `/pages/${name}`,
      { config: { resource: "pages" } },
      async (_request, reply) =>
        reply
          .headers({
            "cache-control": "no-cache",
            "content-security-policy": POLICY,
            "referrer-policy": "no-referrer",
          })
          .type(type)
          .send(pages.get(name)),
    );
}
