import { z } from "zod";
import { readShare } from "../placement/share.ts";

const name = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "small letters, digits and hyphens, 31 at most");
const purpose = z.string().min(1);
const names = z.array(name);
const version = z.literal(1);

const share = z.string().transform((text, context) => {
  const read = readShare(text);
  if (read.kind === "share") return read.share;
  context.addIssue({ code: "custom", message: read.problem });
  return z.NEVER;
});

/** vdus.yaml: types of virtual machine. */
export const vdusFile = z.strictObject({
  version,
  vdus: z
    .array(
      z.strictObject({
        name,
        purpose,
        processes: names.min(1),
        zone: name,
        networks: names.min(1),
        size: z.strictObject({
          vcpus: z.int().min(1).max(256),
          memory: z.int().min(256).max(4_194_304).describe("MiB"),
          disk: z.int().min(1).max(65_536).describe("GiB"),
        }),
        volumes: z.array(z.int().min(1).max(65_536).describe("GiB")).default([]),
        pool: z.strictObject({
          min: z.int().min(0).max(1000),
          default: z.int().min(0).max(1000).describe("0: a pool that a deployment may leave out"),
          max: z.int().min(1).max(1000),
        }),
        tolerated: z.strictObject({ share, members: z.int().min(1).max(1000).optional() }),
      }),
    )
    .min(1),
});

/** networks.yaml: networks, and who is on them besides us. */
export const networksFile = z.strictObject({
  version,
  networks: z.array(z.strictObject({ name, purpose, external: z.boolean() })).min(1),
  outside: z.array(z.strictObject({ name, purpose, networks: names.min(1) })),
});

/** zones.yaml: placement zones, and what may cross their border. */
export const zonesFile = z.strictObject({
  version,
  zones: z
    .array(
      z.strictObject({
        name,
        purpose,
        networks: names.min(1),
        reaches: z.array(z.strictObject({ process: name, ports: names.min(1) })).optional(),
      }),
    )
    .min(1),
});

/** ports.yaml: the one table of ports. */
export const portsFile = z.strictObject({
  version,
  ports: z
    .array(
      z.strictObject({
        process: name,
        name,
        protocols: z.array(z.enum(["udp", "tcp"])).min(1),
        port: z.int().min(1).max(65_535),
        last: z.int().min(1).max(65_535).optional(),
        network: name,
        from: names,
        purpose,
        reserved: z.boolean().default(false),
      }),
    )
    .min(1),
});

export type Vdu = z.output<typeof vdusFile>["vdus"][number];
export type Network = z.output<typeof networksFile>["networks"][number];
export type OutsideParty = z.output<typeof networksFile>["outside"][number];
export type Zone = z.output<typeof zonesFile>["zones"][number];
export type Port = z.output<typeof portsFile>["ports"][number];
