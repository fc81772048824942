import {
  changedSubscriberSchema,
  deregistrationSchema,
  newSubscriberSchema,
  type ProvisioningClient,
  type SimservsDocuments,
  sharingSubscriberSchema,
  staffPageQuerySchema,
} from "@ims/api";
import type { FastifyInstance } from "fastify";
import { note } from "./audit.ts";
import { jsonOf } from "./bodies.ts";
import { bodyOf, queryOf, read } from "./fields.ts";
import { askedOf } from "./homestead-refusal.ts";
import { upstream } from "./refusal.ts";

export interface SubscriberModules {
  readonly homestead: ProvisioningClient;
  /** Undefined: there is no homer. */
  readonly simservs: SimservsDocuments | undefined;
}

type Named = { Params: { impi: string } };

const resource = "subscribers";
const SEES = { resource, role: "viewer" } as const;
const PATH = "/staff/subscribers";

/** Subscribers for staff, by homestead's provisioning API: secrets go in and never out. */
export function subscriberRoutes(app: FastifyInstance, { homestead, simservs }: SubscriberModules): void {
  const changes = (audit: string) => ({ resource, role: "operator", audit }) as const;

  app.get(PATH, { config: SEES }, async (request) => {
    const { after, limit, search } = read(staffPageQuerySchema, queryOf(request));
    return askedOf(() =>
      homestead.list({
        limit,
        ...(after === undefined || after === "" ? {} : { after }),
        ...(search === undefined || search === "" ? {} : { search }),
      }),
    );
  });

  app.post(PATH, { config: changes("subscriber.add") }, async (request, reply) => {
    if (/"sharesWith"\s*:/.test(bodyOf(request))) {
      const given = jsonOf(sharingSubscriberSchema, request);
      note(request, { target: given.impi, detail: `shares with ${given.sharesWith}` });
      return reply.code(201).send(await askedOf(() => homestead.share(given)));
    }
    const given = jsonOf(newSubscriberSchema, request);
    const identities = given.publicIdentities.map(({ impu }) => impu).join(" ");
    note(request, { target: given.impi, detail: `${identities}; ${namesOf(given.credentials)}` });
    return reply.code(201).send(await askedOf(() => homestead.add(given)));
  });

  app.get<Named>(`${PATH}/:impi`, { config: SEES }, ({ params }) =>
    askedOf(() => homestead.get(params.impi)),
  );

  app.patch<Named>(`${PATH}/:impi`, { config: changes("subscriber.change") }, async (request) => {
    const { impi } = request.params;
    note(request, { target: impi });
    const given = jsonOf(changedSubscriberSchema, request);
    note(request, { detail: changesOf(given) });
    return askedOf(() => homestead.update(impi, given));
  });

  app.delete<Named>(`${PATH}/:impi`, { config: changes("subscriber.delete") }, async (request, reply) => {
    const { impi } = request.params;
    note(request, { target: impi });
    const { publicIdentities, sharesWith = [] } = await askedOf(() => homestead.get(impi));
    note(request, { detail: publicIdentities.map(({ impu }) => impu).join(" ") });
    // First what names it: afterwards homer knows nobody of that name. What is shared stays with the others.
    if (sharesWith.length === 0)
      for (const { impu } of publicIdentities) {
        const document = await simservs?.delete(impu);
        if (document?.kind === "unavailable" || document?.kind === "refused")
          throw upstream(document.problem);
      }
    await askedOf(() => homestead.delete(impi));
    return reply.code(204).send();
  });

  app.post<Named>(
    `${PATH}/:impi/deregister`,
    { config: changes("subscriber.deregister") },
    async (request, reply) => {
      const { impi } = request.params;
      note(request, { target: impi });
      const given = jsonOf(deregistrationSchema, request);
      note(request, { detail: given.reason });
      await askedOf(() => homestead.deregister(impi, given));
      return reply.code(204).send();
    },
  );
}

/** Which credentials were given, never what they are. */
function namesOf(credentials: Readonly<Record<string, unknown>>): string {
  return Object.keys(credentials)
    .filter((name) => credentials[name] !== undefined)
    .join(", ");
}

function changesOf({
  credentials,
  services,
  ...identities
}: ReturnType<typeof changedSubscriberSchema.parse>) {
  const parts = Object.entries(identities).flatMap(([name, list]) =>
    list === undefined
      ? []
      : [`${name}: ${list.map((each) => (typeof each === "string" ? each : each.impu)).join(" ")}`],
  );
  if (credentials !== undefined) parts.push(`credentials: ${namesOf(credentials)}`);
  if (services !== undefined) parts.push("services");
  return parts.join("; ");
}
