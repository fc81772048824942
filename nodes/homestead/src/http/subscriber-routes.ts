import { changedSubscriberSchema, deregistrationSchema } from "@ims/api";
import type { DiameterNode } from "@ims/diameter";
import type { Logger } from "@ims/runtime";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { impiKey } from "../cx/identities.ts";
import { pushProfile } from "../cx/push-profile.ts";
import { type TerminationReason, terminateRegistration } from "../cx/registration-termination.ts";
import type { ServingHosts } from "../cx/serving-hosts.ts";
import { type Eventually, UNAVAILABLE } from "../hss/hss.ts";
import { withoutPrivateIdentity } from "../hss/parts-change.ts";
import { eachSetOf, keyOf, partsOf, privateIdentitiesWith, recordOfParts } from "../hss/stored.ts";
import type { Subscriber } from "../hss/subscriber.ts";
import type { SubscriberRepository, WriteResult } from "../hss/subscriber-repository.ts";
import { homesteadProblems } from "../problems.ts";
import { changedMeanwhile, conflict, HttpProblem, notFound, storeAway } from "./problem.ts";
import {
  changedRecord,
  documentOf,
  isSharing,
  readNewSubscriber,
  readSharing,
  sharedRecord,
} from "./subscriber-document.ts";

export type RouteModules = {
  readonly subscribers: SubscriberRepository;
  readonly node: DiameterNode;
  readonly servers: ServingHosts;
  readonly log: Logger;
};

const querySchema = z.object({
  after: z.string().max(255).default(""),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  search: z.string().min(1).max(255).optional(),
});

/** One subscriber is a few kB; reading much more would hold up Cx. */
const ONE_SUBSCRIBER = { bodyLimit: 65_536 } as const;

type Named = { Params: { impi: string } };

/** Times that a change is made again when others change the same subscriber meanwhile. */
const ROUNDS = 5;

/** Subscribers one at a time. `realm` is that of SIP Digest. */
export function subscriberRoutes(app: FastifyInstance, realm: string, modules: RouteModules): void {
  const { subscribers, node, servers, log } = modules;

  async function known(impi: string): Promise<Subscriber> {
    const subscriber = await subscribers.byPrivateIdentity(impiKey(impi));
    if (subscriber === UNAVAILABLE) throw storeAway();
    if (subscriber === undefined) throw notFound(impi);
    return subscriber;
  }

  app.get("/subscribers", async (request) => {
    const page = await subscribers.page({ search: undefined, ...parse(querySchema, request.query) });
    if (page === UNAVAILABLE) throw storeAway();
    return {
      subscribers: page.subscribers.map(documentOf),
      ...(page.next === undefined ? {} : { next: page.next }),
    };
  });

  app.post("/subscribers", ONE_SUBSCRIBER, async (request, reply) => {
    if (isSharing(request.body)) {
      const { impi } = await share(request.body);
      return reply.code(201).send(documentOf(await known(impi)));
    }
    const reading = readNewSubscriber(request.body, realm);
    if (reading.kind === "wrong") throw new HttpProblem(400, "Wrong subscriber", reading.error);
    const { impi } = reading.record;
    const result = await subscribers.insert(reading.record);
    if (result.kind === "overtaken") throw changedMeanwhile(impi);
    check(result, impi);
    log.info({ impi }, "subscriber added");
    return reply.code(201).send(documentOf(await known(impi)));
  });

  app.get<Named>("/subscribers/:impi", async (request) => documentOf(await known(request.params.impi)));

  app.patch<Named>("/subscribers/:impi", ONE_SUBSCRIBER, async (request) => {
    const change = parse(changedSubscriberSchema, request.body);
    const { impi } = await again(request.params.impi, (before) => {
      const record = changedRecord(before, change, realm);
      if (typeof record === "string") throw new HttpProblem(400, "Wrong subscriber", record);
      return subscribers.replace(before, record);
    });
    const after = await known(impi);
    const { publicIdentities, addPublicIdentities, removePublicIdentities, services } = change;
    if (publicIdentities ?? addPublicIdentities ?? removePublicIdentities ?? services) {
      const pushed = await pushProfile(after, { node, servers });
      if (pushed.kind === "failed")
        log.warn(
          { impi, reason: pushed.reason, problemId: homesteadProblems.profileNotPushed.id },
          "profile not pushed",
        );
    }
    log.info({ impi }, "subscriber changed");
    return documentOf(after);
  });

  app.delete<Named>("/subscribers/:impi", async (request, reply) => {
    const { impi } = await again(request.params.impi, async (before) => {
      await deregister(before.impi);
      const subscriber = await known(before.impi);
      // Registered again meanwhile: its registration has to end first.
      if (eachSetOf(subscriber).some(({ registration }) => registration.state === "registered"))
        return { kind: "overtaken" };
      // Others share its sets: those stay.
      if (privateIdentitiesWith(subscriber).length > 1)
        return subscribers.replace(
          subscriber,
          recordOfParts(keyOf(subscriber), withoutPrivateIdentity(partsOf(subscriber), subscriber.impi)),
        );
      const removed = await subscribers.remove(subscriber);
      // Gone since it was read: by us, when the store was asked twice, or by somebody who wanted the same.
      return removed.kind === "notFound" ? { kind: "written" } : removed;
    });
    log.info({ impi }, "subscriber deleted");
    return reply.code(204).send();
  });

  app.post<Named>("/subscribers/:impi/deregister", ONE_SUBSCRIBER, async (request, reply) => {
    const { reason } = parse(deregistrationSchema, request.body ?? {});
    await deregister((await known(request.params.impi)).impi, reason);
    return reply.code(204).send();
  });

  async function share(given: unknown): Promise<{ readonly impi: string }> {
    const sharing = readSharing(given, realm);
    if (typeof sharing === "string") throw new HttpProblem(400, "Wrong subscriber", sharing);
    const { impi, sharesWith } = sharing;
    await again(sharesWith, async (before): Promise<WriteResult> => {
      const existing = await subscribers.byPrivateIdentity(impi);
      if (existing === UNAVAILABLE) return { kind: "unavailable" };
      if (existing !== undefined) throw conflict(impi, impi);
      const record = sharedRecord(before, sharing);
      if (typeof record === "string") throw new HttpProblem(400, "Wrong subscriber", record);
      return subscribers.replace(before, record);
    });
    log.info({ impi, sharesWith }, "private identity added to a subscription");
    return { impi };
  }

  /** Reads the subscriber and changes it, once more when others changed it between. */
  async function again(
    impi: string,
    change: (before: Subscriber) => Eventually<WriteResult>,
  ): Promise<Subscriber> {
    for (let round = 0; round < ROUNDS; round++) {
      const before = await known(impi);
      const result = await change(before);
      if (result.kind === "overtaken") continue;
      check(result, impi);
      return before;
    }
    throw changedMeanwhile(impi);
  }

  async function deregister(
    impi: string,
    reason: TerminationReason = "PERMANENT_TERMINATION",
  ): Promise<void> {
    const hss = subscribers;
    const outcome = await terminateRegistration(impi, reason, { node, hss, servers });
    if (outcome.kind === "unavailable") throw storeAway();
    if (outcome.kind === "failed")
      log.warn(
        { impi, reason: outcome.reason, problemId: homesteadProblems.notDeregistered.id },
        "S-CSCF did not deregister",
      );
  }
}

function check(result: Exclude<WriteResult, { kind: "overtaken" }>, impi: string): void {
  if (result.kind === "conflict") throw conflict(result.identity, result.owner);
  if (result.kind === "notFound") throw notFound(impi);
  if (result.kind === "unavailable") throw storeAway();
}

export function parse<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new HttpProblem(400, "Wrong request", faults.join("; ").slice(0, 2_000));
}
