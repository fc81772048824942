import { publicIdQuerySchema } from "@ims/api";
import type { FastifyInstance } from "fastify";
import { UNAVAILABLE } from "../../hss/hss.ts";
import { identityKey } from "../../hss/identity-key.ts";
import { partsOf } from "../../hss/stored.ts";
import { HttpProblem, storeAway } from "../problem.ts";
import { parse } from "../subscriber-routes.ts";
import type { DoorModules } from "./parked-identity.ts";
import { noPublicIdentity } from "./profile-routes.ts";

type Named = { Params: { impu: string } };

/** As many as are written in a few milliseconds. */
const MAX_LISTED = 20_000;

/** /public: where public identities are, and a list of them. Nothing is changed here. */
export function publicRoutes(app: FastifyInstance, { door, subscribers }: DoorModules): void {
  app.get("/public", async ({ query }) => {
    const { chunk, "chunk-proportion": of } = parse(publicIdQuerySchema, query);
    const listed = await subscribers.publicIdentities({ chunk, of, limit: MAX_LISTED + 1 });
    if (listed === UNAVAILABLE) throw storeAway();
    if (listed.length > MAX_LISTED)
      throw new HttpProblem(
        400,
        "Too much",
        `more than ${MAX_LISTED} public identities: ask for a part, with chunk and chunk-proportion`,
      );
    return { public_ids: listed.map((impu) => ({ public_id: impu })) };
  });

  app.get<Named>("/public/:impu/service_profile", async ({ params: { impu } }, reply) => {
    const { set, profile } = await placeOf(impu);
    return reply.code(303).header("location", `/irs/${set}/service_profiles/${profile}`).send();
  });

  app.get<Named>("/public/:impu/irs", async ({ params: { impu } }, reply) => {
    const { set } = await placeOf(impu);
    return reply.code(303).header("location", `/irs/${set}`).send();
  });

  app.get<Named>("/public/:impu/associated_private_ids", async ({ params: { impu } }) => ({
    private_ids: (await placeOf(impu)).privateIdentities,
  }));

  async function placeOf(
    impu: string,
  ): Promise<{ set: string; profile: string; privateIdentities: string[] }> {
    const found = await door.publicIdentity(impu);
    if (found === undefined) throw noPublicIdentity(impu);
    const canonical = identityKey(impu)?.canonical;
    const parts = partsOf(found);
    for (const { id, profiles } of parts.sets)
      for (const profile of profiles)
        if (profile.identities.some((one) => identityKey(one.impu)?.canonical === canonical)) {
          const sharing = parts.privateIdentities.filter(({ sets }) => sets.includes(id));
          return { set: id, profile: profile.id, privateIdentities: sharing.map(({ impi }) => impi) };
        }
    throw noPublicIdentity(impu);
  }
}
