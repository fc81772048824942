import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { impiKey } from "../../cx/identities.ts";
import { withoutSet, withProfiles } from "../../hss/parts-change.ts";
import { partsOf } from "../../hss/stored.ts";
import { noServices, type Subscriber } from "../../hss/subscriber.ts";
import type { SubscriptionRecord } from "../../hss/subscriber-repository.ts";
import { HttpProblem } from "../problem.ts";
import { associate, dissociate, noSet } from "./association.ts";
import type { DoorModules } from "./parked-identity.ts";
import { isSetId, newSetId } from "./set-id.ts";

type NamedSet = { Params: { irs: string } };
type NamedBoth = { Params: { irs: string; impi: string } };
type NamedProfile = { Params: { irs: string; profile: string } };
type RegistrationSet = SubscriptionRecord["sets"][number];

/** /irs: implicit registration sets, who may register them, and their service profiles. */
export function setRoutes(app: FastifyInstance, modules: DoorModules): void {
  const { door, log } = modules;

  app.post("/irs", async (_request, reply) =>
    reply.code(201).header("location", `/irs/${newSetId()}`).send(),
  );

  app.delete<NamedSet>("/irs/:irs", async ({ params: { irs } }, reply) => {
    const gone = await door.change(
      irs,
      () => door.set(irs),
      (parts) => withoutSet(parts, irs),
      (before) => registeredWith(before, irs),
    );
    if (gone !== undefined) log.info({ set: irs }, "implicit registration set deleted");
    return reply.code(gone !== undefined || isSetId(irs) ? 200 : 204).send();
  });

  app.get<NamedSet>("/irs/:irs/public_ids", async ({ params: { irs } }) => {
    const { set } = await found(irs);
    return { public_ids: set.profiles.flatMap(({ identities }) => identities.map(({ impu }) => impu)) };
  });

  app.get<NamedSet>("/irs/:irs/private_ids", async ({ params: { irs } }) => {
    const { parts } = await found(irs);
    const sharing = parts.privateIdentities.filter(({ sets }) => sets.includes(irs));
    return { private_ids: sharing.map(({ impi }) => impi) };
  });

  app.put<NamedBoth>("/irs/:irs/private_ids/:impi", async ({ params: { irs, impi } }, reply) => {
    await associate(impiKey(impi), irs, modules);
    return reply.code(200).send();
  });

  app.delete<NamedBoth>("/irs/:irs/private_ids/:impi", async ({ params: { irs, impi } }, reply) =>
    reply.code((await dissociate(impiKey(impi), irs, modules)) ? 200 : 204).send(),
  );

  app.post<NamedSet>("/irs/:irs/service_profiles", async ({ params: { irs } }, reply) => {
    const id = randomUUID();
    const changed = await door.change(
      irs,
      () => door.set(irs),
      (parts) =>
        withProfiles(parts, irs, (profiles) => [...profiles, { id, identities: [], services: noServices }]),
    );
    if (changed === undefined) throw isSetId(irs) ? nobodys(irs) : noSet(irs);
    return reply.code(201).header("location", `/irs/${irs}/service_profiles/${id}`).send();
  });

  app.delete<NamedProfile>(
    "/irs/:irs/service_profiles/:profile",
    async ({ params: { irs, profile } }, reply) => {
      let there = false;
      const changed = await door.change(
        irs,
        () => door.set(irs),
        (parts) => {
          const set = parts.sets.find(({ id }) => id === irs);
          there = set?.profiles.some(({ id }) => id === profile) ?? false;
          if (!there) return undefined;
          return withProfiles(parts, irs, (all) => all.filter(({ id }) => id !== profile));
        },
        (before) => {
          const set = setIn(before, irs);
          const left = set?.profiles.some(({ id, identities }) => id !== profile && identities.length > 0);
          return left === true ? [] : registeredWith(before, irs);
        },
      );
      if (changed === undefined || !there) return reply.code(204).send();
      await door.push(await door.set(irs));
      return reply.code(200).send();
    },
  );

  /** One that nobody may register yet is empty. */
  async function found(irs: string): Promise<{ parts: SubscriptionRecord; set: RegistrationSet }> {
    const subscriber = await door.set(irs);
    const parts = subscriber === undefined ? NOTHING : partsOf(subscriber);
    const set = parts.sets.find(({ id }) => id === irs);
    if (set !== undefined) return { parts, set };
    if (subscriber === undefined && isSetId(irs)) return { parts, set: { id: irs, profiles: [] } };
    throw noSet(irs);
  }
}

const NOTHING: SubscriptionRecord = { privateIdentities: [], sets: [] };

/** Who may have registered a set. */
export function registeredWith(before: Subscriber, setId: string): (readonly [string, string | undefined])[] {
  return partsOf(before)
    .privateIdentities.filter(({ sets }) => sets.includes(setId))
    .map(({ impi }) => [impi, before.part === undefined ? undefined : setId]);
}

export function setIn(subscriber: Subscriber, setId: string): RegistrationSet | undefined {
  return partsOf(subscriber).sets.find(({ id }) => id === setId);
}

export function nobodys(setId: string): HttpProblem {
  return new HttpProblem(
    409,
    "Nobody's set",
    `no private identity may register ${setId} yet: PUT /private/<private identity>/associated_implicit_registration_sets/${setId} first`,
  );
}
