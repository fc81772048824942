import { readdirSync, readFileSync } from "node:fs";
import { extname, join, sep } from "node:path";
import type { FastifyInstance } from "fastify";
import { EllisError } from "../errors.ts";

const TYPES = new Map([
  [".html", "text/html; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
]);

/** Pages that people are told of; all files are at /pages/<name> beside. */
const ADDRESSES = new Map([
  ["index.html", "/"],
  ["staff/index.html", "/staff"],
]);

/** Our own files, our own API, nothing else: what a user is called cannot become a script. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** The pages of the portal, by their path in the folder with slashes, read once. Throws EllisError. */
export function portalPages(
  folder: string = join(import.meta.dirname, "../pages"),
): ReadonlyMap<string, Buffer> {
  let file = folder;
  try {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      TYPES.has(extname(name)),
    );
    const pages = new Map<string, Buffer>();
    for (const name of new Set([...ADDRESSES.keys(), ...names])) {
      file = join(folder, name);
      pages.set(name.split(sep).join("/"), readFileSync(file));
    }
    return pages;
  } catch (cause) {
    throw new EllisError({ code: "ELLIS_FILE", option: "pages", file, problem: "cannot be read" }, { cause });
  }
}

/** Pages that people use the API with. They hold no data: who may see what, the API says. */
export function pageRoutes(app: FastifyInstance, pages: ReadonlyMap<string, Buffer>): void {
  for (const [name, content] of pages)
    app.get(
      ADDRESSES.get(name) ?? `/pages/${name}`,
      { config: { resource: "pages" } },
      async (_request, reply) =>
        reply
          .headers({
            "cache-control": "no-cache",
            "content-security-policy": POLICY,
            "referrer-policy": "no-referrer",
          })
          .type(TYPES.get(extname(name)) ?? "application/octet-stream")
          .send(content),
    );
}
