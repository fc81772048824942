import { privateCredentialsSchema } from "@ims/api";
import { isImpi } from "@ims/ims";
import type { FastifyInstance } from "fastify";
import { impiKey } from "../../cx/identities.ts";
import { digestCredentials } from "../../hss/digest.ts";
import { withoutPrivateIdentity, withPrivateIdentity } from "../../hss/parts-change.ts";
import { parkedKey } from "../../hss/record-names.ts";
import { partsOf, recordOfParts } from "../../hss/stored.ts";
import type { Credentials, DigestCredentials } from "../../hss/subscriber.ts";
import { changedMeanwhile, HttpProblem } from "../problem.ts";
import { parse } from "../subscriber-routes.ts";
import { associate, dissociate } from "./association.ts";
import { type DoorModules, noPrivateIdentity, removeParked } from "./parked-identity.ts";
import { checkWritten } from "./repository-door.ts";

type Named = { Params: { impi: string } };
type NamedSet = { Params: { impi: string; irs: string } };

const ROUNDS = 5;

/** /private: private identities, what they are authenticated with, and the sets they may register. */
export function privateRoutes(app: FastifyInstance, modules: DoorModules): void {
  const { door, log } = modules;

  app.get<Named>("/private/:impi", async ({ params: { impi } }) => {
    const found = await door.privateIdentity(impi);
    if (found === undefined) throw noPrivateIdentity(impi);
    return { realm: found.credentials.digest?.realm ?? modules.realm };
  });

  app.put<Named>("/private/:impi", async ({ params, body }, reply) => {
    const impi = impiKey(params.impi);
    if (!isImpi(impi)) throw new HttpProblem(400, "Wrong request", "a private identity is user@realm");
    await putDigest(impi, digestIn(jsonOf(body), impi, modules.realm), modules);
    log.info({ impi }, "private identity written");
    return reply.code(200).send();
  });

  app.delete<Named>("/private/:impi", async ({ params }, reply) => {
    const impi = impiKey(params.impi);
    const gone = await door.change(
      impi,
      () => door.part(impi),
      (parts) => withoutPrivateIdentity(parts, impi),
      () => [[impi, undefined]],
    );
    const wasParked = await removeParked(impi, modules);
    if (gone === undefined && !wasParked) return reply.code(204).send();
    log.info({ impi }, "private identity deleted");
    return reply.code(200).send();
  });

  app.get<Named>("/private/:impi/associated_implicit_registration_sets", async ({ params: { impi } }) => {
    const found = await door.privateIdentity(impi);
    if (found === undefined) throw noPrivateIdentity(impi);
    const own = partsOf(found).privateIdentities.find((one) => one.impi === found.impi);
    return { associated_implicit_registration_sets: own?.sets ?? [] };
  });

  app.put<NamedSet>(
    "/private/:impi/associated_implicit_registration_sets/:irs",
    async ({ params: { impi, irs } }, reply) => {
      await associate(impiKey(impi), irs, modules);
      return reply.code(200).send();
    },
  );

  app.delete<NamedSet>(
    "/private/:impi/associated_implicit_registration_sets/:irs",
    async ({ params: { impi, irs } }, reply) =>
      reply.code((await dissociate(impiKey(impi), irs, modules)) ? 200 : 204).send(),
  );

  app.get<Named>("/private/:impi/associated_public_ids", async ({ params: { impi } }) => {
    const found = await door.privateIdentity(impi);
    if (found === undefined) throw noPrivateIdentity(impi);
    const { privateIdentities, sets } = partsOf(found);
    const own = privateIdentities.find((one) => one.impi === found.impi)?.sets ?? [];
    const identities = sets
      .filter(({ id }) => own.includes(id))
      .flatMap(({ profiles }) => profiles.flatMap((profile) => profile.identities));
    return { associated_public_ids: identities.map(({ impu }) => impu) };
  });
}

/** Into the subscription it is a part of, else put by until it is one. */
async function putDigest(
  impi: string,
  digest: DigestCredentials,
  { door, subscribers }: DoorModules,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const changed = await door.change(
      impi,
      () => door.part(impi),
      (parts) => {
        const own = parts.privateIdentities.find((one) => one.impi === impi);
        return own && withPrivateIdentity(parts, { ...own, credentials: { ...own.credentials, digest } });
      },
    );
    if (changed !== undefined) return;
    const parked = await door.parked(impi);
    const credentials: Credentials = { aka: parked?.credentials.aka, digest };
    const record = recordOfParts(parkedKey(impi), {
      privateIdentities: [{ impi, credentials, sets: [] }],
      sets: [],
    });
    const result = await (parked === undefined
      ? subscribers.insert(record)
      : subscribers.replace(parked, record));
    if (result.kind === "written") {
      // Given a set meanwhile, with what it was authenticated with before.
      if ((await door.part(impi)) === undefined) return;
      continue;
    }
    if (result.kind === "unavailable") checkWritten(result);
  }
  throw changedMeanwhile(impi);
}

function digestIn(body: unknown, impi: string, usual: string): DigestCredentials {
  const given = parse(privateCredentialsSchema, body);
  const realm = given.realm ?? usual;
  return "digest_ha1" in given
    ? { realm, ha1Md5: given.digest_ha1.toLowerCase() }
    : digestCredentials(impi, realm, given.plaintext_password);
}

/** Bodies come with whatever media type the tool says. */
export function jsonOf(body: unknown): unknown {
  try {
    return JSON.parse(String(body ?? ""));
  } catch {
    throw new HttpProblem(400, "Wrong request", "the body is no JSON");
  }
}
