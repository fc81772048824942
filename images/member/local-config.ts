import { existsSync } from "node:fs";
import { loadOptions } from "@ims/runtime";
import { z } from "zod";
import { MemberError, type Role } from "./member-file.ts";

/** Processes that answer /health and /metrics. */
export type ManagedNode = Exclude<Role, "vellum"> | "ralf" | "homer";

const PORTS: Readonly<Record<ManagedNode, number>> = {
  bono: 9101,
  sprout: 9102,
  homestead: 9103,
  ralf: 9106,
  homer: 9104,
  ellis: 9105,
};

/** Some options of a node, as its file of this machine has them. @throws MemberError */
export function localOptions<T extends z.ZodObject>(
  name: string,
  path: string,
  schema: T,
): Readonly<z.output<T>> {
  const remedy = "user data writes it (heat-templates/user-data); correct it and rebuild the server";
  if (!existsSync(path)) throw new MemberError(`there is no ${path}`, remedy);
  // The node itself refuses keys that it does not know; here they are none of our business.
  const loaded = loadOptions({ name, schema, argv: ["--shared-config", path], env: {} });
  if (loaded.kind === "help") throw new Error("no help was asked for");
  if (loaded.kind === "invalid") throw new MemberError(loaded.lines.join("; "), remedy);
  return loaded.options;
}

/** For a URL: with brackets where IPv6 wants them. */
export function hostOf(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** Where the node of this machine answers /health and /metrics, as its own options say. @throws MemberError */
export function managementUrl(role: ManagedNode, path: string): string {
  const schema = z.object({
    managementAddress: z.string().min(1).default("127.0.0.1").describe("as the node's own"),
    managementPort: z.int().min(1).max(65535).default(PORTS[role]).describe("as the node's own"),
  });
  const { managementAddress: address, managementPort: port } = localOptions(role, path, schema);
  return `http://${hostOf(address)}:${port}`;
}
