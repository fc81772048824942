import { existsSync } from "node:fs";
import { loadOptions } from "@ims/runtime";
import { z } from "zod";
import { MemberError, type Role } from "./member-file.ts";

/** Processes that answer /health and /metrics. */
export type ManagedNode = Exclude<Role, "vellum"> | "ralf";

const PORTS: Readonly<Record<ManagedNode, number>> = {
  bono: 9101,
  sprout: 9102,
  homestead: 9103,
  ralf: 9106,
};

/** Where the node of this machine answers /health and /metrics, as its own options say. @throws MemberError */
export function managementUrl(role: ManagedNode, path: string): string {
  const remedy = "user data writes it (heat-templates/user-data); correct it and rebuild the server";
  if (!existsSync(path)) throw new MemberError(`there is no ${path}`, remedy);
  const loaded = loadOptions({
    name: role,
    schema: z.object({
      managementAddress: z.string().min(1).default("127.0.0.1").describe("as the node's own"),
      managementPort: z.int().min(1).max(65535).default(PORTS[role]).describe("as the node's own"),
    }),
    // The node itself refuses keys that it does not know; here they are none of our business.
    argv: ["--shared-config", path],
    env: {},
  });
  if (loaded.kind === "help") throw new Error("no help was asked for");
  if (loaded.kind === "invalid") throw new MemberError(loaded.lines.join("; "), remedy);
  const { managementAddress: address, managementPort: port } = loaded.options;
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}
