import { impuSchema } from "@ims/api";
import {
  buildProfileServices,
  buildPublicIdentity,
  type ProvisionedResult,
  type PublicIdentity,
  parseProfileServices,
  parsePublicIdentity,
} from "@ims/ims";
import type { FastifyInstance } from "fastify";
import { identityKey } from "../../hss/identity-key.ts";
import { withProfile } from "../../hss/parts-change.ts";
import type { ServiceData } from "../../hss/subscriber.ts";
import type { SubscriptionRecord } from "../../hss/subscriber-repository.ts";
import { HttpProblem } from "../problem.ts";
import { servicesFault, servicesOf } from "../services-document.ts";
import { noSet } from "./association.ts";
import type { DoorModules } from "./parked-identity.ts";
import { isSetId } from "./set-id.ts";
import { nobodys, registeredWith, setIn } from "./set-routes.ts";

type Named = { Params: { irs: string; profile: string } };
type NamedIdentity = { Params: { irs: string; profile: string; impu: string } };
type ServiceProfile = SubscriptionRecord["sets"][number]["profiles"][number];

const XML = "application/xml";

/** /irs/../service_profiles/..: public identities and their services. */
export function profileRoutes(app: FastifyInstance, { door, log }: DoorModules): void {
  app.get<Named>("/irs/:irs/service_profiles/:profile/public_ids", async ({ params }) => {
    const { identities } = await found(params);
    return { public_ids: identities.map(({ impu }) => impu) };
  });

  app.get<NamedIdentity>(
    "/irs/:irs/service_profiles/:profile/public_ids/:impu",
    async ({ params }, reply) => {
      const { identities } = await found(params);
      const canonical = keyOf(params.impu);
      const one = identities.find(({ impu }) => keyOf(impu) === canonical);
      if (one === undefined) throw noPublicIdentity(params.impu);
      const { impu: identity, barred } = one;
      return reply.type(XML).send(buildPublicIdentity({ identity, barred }));
    },
  );

  app.put<NamedIdentity>(
    "/irs/:irs/service_profiles/:profile/public_ids/:impu",
    async ({ params: { irs, profile, impu }, body }, reply) => {
      const given = identityIn(String(body ?? ""));
      const canonical = keyOf(given.impu);
      if (canonical === undefined)
        throw new HttpProblem(
          400,
          "Wrong request",
          `${given.impu} is neither a SIP URI nor a global tel URI`,
        );
      if (keyOf(impu) !== canonical)
        throw new HttpProblem(
          403,
          "Another identity",
          `the body is about ${given.impu}, the path about ${impu}`,
        );
      await change({ irs, profile }, (known, parts) => {
        const elsewhere = parts.sets.some(({ profiles }) =>
          profiles.some(
            ({ id, identities }) => id !== profile && identities.some((one) => keyOf(one.impu) === canonical),
          ),
        );
        if (elsewhere)
          throw new HttpProblem(409, "Identity in use", `${impu} is in another profile of the subscription`);
        const at = known.identities.findIndex((one) => keyOf(one.impu) === canonical);
        const identities =
          at < 0 ? [...known.identities, given] : known.identities.map((one, i) => (i === at ? given : one));
        return { ...known, identities };
      });
      log.info({ impu: given.impu }, "public identity written");
      return reply.code(200).send();
    },
  );

  app.delete<NamedIdentity>(
    "/irs/:irs/service_profiles/:profile/public_ids/:impu",
    async ({ params: { irs, profile, impu } }, reply) => {
      const canonical = keyOf(impu);
      const before = await door.change(
        irs,
        () => door.set(irs),
        (parts) => {
          const known = profileIn(parts, irs, profile);
          if (!known.identities.some((one) => keyOf(one.impu) === canonical)) throw noPublicIdentity(impu);
          return withProfile(parts, irs, profile, (one) => ({
            ...one,
            identities: one.identities.filter((each) => keyOf(each.impu) !== canonical),
          }));
        },
        // Nothing is left to be registered.
        (subscriber) => {
          const all = setIn(subscriber, irs)?.profiles.flatMap(({ identities }) => identities) ?? [];
          return all.length > 1 ? [] : registeredWith(subscriber, irs);
        },
      );
      if (before === undefined) throw noSet(irs);
      await door.push(await door.set(irs));
      log.info({ impu }, "public identity deleted");
      return reply.code(200).send();
    },
  );

  app.get<Named>("/irs/:irs/service_profiles/:profile/filter_criteria", async ({ params }, reply) => {
    const { services } = await found(params);
    return reply.type(XML).send(buildProfileServices(services));
  });

  app.put<Named>(
    "/irs/:irs/service_profiles/:profile/filter_criteria",
    async ({ params: { irs, profile }, body }, reply) => {
      const given = readValue(parseProfileServices(String(body ?? "")));
      await change({ irs, profile }, (known) => {
        const services: ServiceData = { ...known.services, ...given };
        const fault = servicesFault(services);
        if (fault !== undefined) throw new HttpProblem(400, "Wrong request", fault);
        return { ...known, services: servicesOf(services) };
      });
      log.info({ set: irs, profile }, "filter criteria written");
      return reply.code(200).send();
    },
  );

  async function found({ irs, profile }: Named["Params"]): Promise<ServiceProfile> {
    const subscriber = await door.set(irs);
    const set = subscriber && setIn(subscriber, irs);
    const one = set?.profiles.find(({ id }) => id === profile);
    if (one !== undefined) return one;
    throw set === undefined ? noSet(irs) : noProfile(profile);
  }

  async function change(
    { irs, profile }: Named["Params"],
    to: (known: ServiceProfile, parts: SubscriptionRecord) => ServiceProfile,
  ): Promise<void> {
    const before = await door.change(
      irs,
      () => door.set(irs),
      (parts) => {
        const known = profileIn(parts, irs, profile);
        return withProfile(parts, irs, profile, () => to(known, parts));
      },
    );
    if (before === undefined) throw isSetId(irs) ? nobodys(irs) : noSet(irs);
    await door.push(await door.set(irs));
  }
}

function profileIn({ sets }: SubscriptionRecord, irs: string, profile: string): ServiceProfile {
  const known = sets.find(({ id }) => id === irs)?.profiles.find(({ id }) => id === profile);
  if (known === undefined) throw noProfile(profile);
  return known;
}

function keyOf(impu: string): string | undefined {
  return identityKey(impu)?.canonical;
}

function identityIn(xml: string): { readonly impu: string; readonly barred: boolean } {
  const given = readValue(parsePublicIdentity(xml));
  const impu = given.wildcardedImpu ?? given.identity;
  const checked = impuSchema.safeParse(impu);
  if (!checked.success)
    throw new HttpProblem(400, "Wrong request", `Identity: ${checked.error.issues[0]?.message ?? "wrong"}`);
  const lost = NOT_KEPT.find((name) => given[name] !== undefined);
  if (lost !== undefined)
    throw new HttpProblem(
      400,
      "Wrong request",
      `${lost} of a public identity is not kept here; leave it out`,
    );
  return { impu, barred: given.barred };
}

/** What this HSS has no place for: refused, for it would be lost. */
const NOT_KEPT = [
  "wildcardedPsi",
  "displayName",
  "aliasGroup",
  "serviceLevelTraceInfo",
  "servicePriorityLevel",
  "extendedPriorities",
] as const satisfies readonly (keyof PublicIdentity)[];

function readValue<T>(result: ProvisionedResult<T>): T {
  if (result.kind === "parsed") return result.value;
  throw new HttpProblem(400, "Wrong request", result.reason);
}

function noProfile(profile: string): HttpProblem {
  return new HttpProblem(
    404,
    "Unknown profile",
    `there is no service profile ${profile.slice(0, 255)} in this set`,
  );
}

export function noPublicIdentity(impu: string): HttpProblem {
  return new HttpProblem(404, "Unknown identity", `there is no public identity ${impu.slice(0, 255)} here`);
}
