import { z } from "zod";

const realm = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\s"\\]+$/, "a realm has no spaces or quotes");

/** Body of PUT /private/<private identity>: what it is authenticated with. */
export const privateCredentialsSchema = z.union([
  z.strictObject({
    digest_ha1: z
      .string()
      .regex(/^[0-9a-fA-F]{32}$/, "MD5 of private identity, realm and password, 32 digits"),
    realm: realm.optional(),
  }),
  z.strictObject({ plaintext_password: z.string().min(1).max(128), realm: realm.optional() }),
]);

/** Answer of GET /private/<private identity>. What proves it is never shown. */
export const privateDocumentSchema = z.strictObject({ realm: z.string() });

export const privateSetsSchema = z.strictObject({
  associated_implicit_registration_sets: z.array(z.string()),
});
export const associatedPublicIdsSchema = z.strictObject({ associated_public_ids: z.array(z.string()) });
export const publicIdsSchema = z.strictObject({ public_ids: z.array(z.string()) });
export const privateIdsSchema = z.strictObject({ private_ids: z.array(z.string()) });
export const publicIdListSchema = z.strictObject({
  public_ids: z.array(z.strictObject({ public_id: z.string() })),
});

/** GET /public/: the part number `chunk` of as many as `chunk-proportion`, by what the identities are. */
export const publicIdQuerySchema = z
  .object({
    excludeuuids: z.enum(["true", "false"]).default("true"),
    "chunk-proportion": z.coerce.number().int().min(1).max(16_777_216).default(1),
    chunk: z.coerce.number().int().min(0).default(0),
  })
  .refine((given) => given.chunk < given["chunk-proportion"], "chunk: from 0 up to chunk-proportion - 1");
