import { changedSubscriberSchema } from "@ims/api";
import type { DiameterNode } from "@ims/diameter";
import type { Logger } from "@ims/runtime";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { impiKey } from "../cx/identities.ts";
import { pushProfile } from "../cx/push-profile.ts";
import { terminateRegistration } from "../cx/registration-termination.ts";
import type { ProvisionedHss } from "../hss/provisioned-hss.ts";
import type { Subscriber } from "../hss/subscriber.ts";
import type { WriteResult } from "../hss/subscriber-repository.ts";
import { conflict, HttpProblem, notFound } from "./problem.ts";
import { changedRecord, documentOf, readNewSubscriber } from "./subscriber-document.ts";

export type RouteModules = {
  readonly hss: ProvisionedHss;
  readonly node: DiameterNode;
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

/** Subscribers one at a time. `realm` is that of SIP Digest. */
export function subscriberRoutes(
  app: FastifyInstance,
  realm: string,
  { hss, node, log }: RouteModules,
): void {
  const known = (impi: string): Subscriber => {
    const subscriber = hss.byPrivateIdentity(impiKey(impi));
    if (subscriber === undefined) throw notFound(impi);
    return subscriber;
  };

  app.get("/subscribers", async (request) => {
    const page = hss.page({ search: undefined, ...parse(querySchema, request.query) });
    return {
      subscribers: page.subscribers.map(documentOf),
      ...(page.next === undefined ? {} : { next: page.next }),
    };
  });

  app.post("/subscribers", ONE_SUBSCRIBER, async (request, reply) => {
    const reading = readNewSubscriber(request.body, realm);
    if (reading.kind === "wrong") throw new HttpProblem(400, "Wrong subscriber", reading.error);
    await hss.whenWritable();
    check(hss.add(reading.record), reading.record.impi);
    log.info({ impi: reading.record.impi }, "subscriber added");
    return reply.code(201).send(documentOf(known(reading.record.impi)));
  });

  app.get<Named>("/subscribers/:impi", async (request) => documentOf(known(request.params.impi)));

  app.patch<Named>("/subscribers/:impi", ONE_SUBSCRIBER, async (request) => {
    const change = parse(changedSubscriberSchema, request.body);
    await hss.whenWritable();
    const before = known(request.params.impi);
    const record = changedRecord(before, change, realm);
    if (typeof record === "string") throw new HttpProblem(400, "Wrong subscriber", record);
    check(hss.replace(record), record.impi);
    const after = known(record.impi);
    if (change.publicIdentities !== undefined || change.services !== undefined) {
      const pushed = await pushProfile(after, node);
      if (pushed.kind === "failed")
        log.warn({ impi: record.impi, reason: pushed.reason }, "profile not pushed");
    }
    log.info({ impi: record.impi }, "subscriber changed");
    return documentOf(after);
  });

  app.delete<Named>("/subscribers/:impi", async (request, reply) => {
    await hss.whenWritable();
    const subscriber = known(request.params.impi);
    await deregister(subscriber);
    hss.remove(subscriber.impi);
    log.info({ impi: subscriber.impi }, "subscriber deleted");
    return reply.code(204).send();
  });

  app.post<Named>("/subscribers/:impi/deregister", ONE_SUBSCRIBER, async (request, reply) => {
    await deregister(known(request.params.impi));
    return reply.code(204).send();
  });

  async function deregister(subscriber: Subscriber): Promise<void> {
    const { impi } = subscriber;
    const outcome = await terminateRegistration(subscriber, "PERMANENT_TERMINATION", { node, hss });
    if (outcome.kind === "failed") log.warn({ impi, reason: outcome.reason }, "S-CSCF did not deregister");
  }
}

function check(result: WriteResult, impi: string): void {
  if (result.kind === "conflict") throw conflict(result.identity, result.owner);
  if (result.kind === "notFound") throw notFound(impi);
}

export function parse<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new HttpProblem(400, "Wrong request", faults.join("; ").slice(0, 2_000));
}
