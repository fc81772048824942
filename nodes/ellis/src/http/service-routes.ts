import type { FastifyInstance, FastifyRequest } from "fastify";
import { note } from "./audit.ts";
import {
  criteriaIn,
  criteriaOf,
  type DocumentModules,
  setCriteria,
  simservsDocuments,
} from "./document-routes.ts";
import { bodyOf } from "./fields.ts";
import { askedOf } from "./homestead-refusal.ts";
import { Refusal } from "./refusal.ts";
import type { SubscriberModules } from "./subscriber-routes.ts";

type Named = { Params: { impi: string } };
type OfIdentity = { Params: { impi: string; impu: string } };

const resource = "subscribers";
const PATH = "/staff/subscribers/:impi";

/** Filter criteria and settings of services of a subscriber, as XML, for staff. */
export function serviceRoutes(app: FastifyInstance, modules: DocumentModules & SubscriberModules): void {
  const sees = { config: { resource, role: "viewer" } } as const;
  const changes = (audit: string) => ({ config: { resource, role: "operator", audit } }) as const;

  app.get<Named>(`${PATH}/ifcs`, sees, async (request, reply) =>
    reply.type("application/xml").send(await criteriaOf(request.params.impi, modules)),
  );

  app.put<Named>(`${PATH}/ifcs`, changes("subscriber.filter-criteria"), async (request, reply) => {
    const { impi } = request.params;
    note(request, { target: impi });
    const criteria = criteriaIn(bodyOf(request));
    note(request, { detail: `${criteria.length} filter criteria` });
    await setCriteria(impi, criteria, modules);
    return reply.code(204).send();
  });

  app.get<OfIdentity>(`${PATH}/simservs/:impu`, sees, async (request, reply) => {
    const impu = await ownIdentity(request);
    return reply.type("application/vnd.etsi.simservs+xml").send(await simservsDocuments(modules).read(impu));
  });

  app.put<OfIdentity>(`${PATH}/simservs/:impu`, changes("subscriber.services"), async (request, reply) => {
    note(request, { target: request.params.impi, detail: request.params.impu });
    const impu = await ownIdentity(request);
    await simservsDocuments(modules).write(impu, bodyOf(request));
    return reply.code(204).send();
  });

  async function ownIdentity({ params }: FastifyRequest<OfIdentity>): Promise<string> {
    const { publicIdentities } = await askedOf(() => modules.homestead.get(params.impi));
    const own = publicIdentities.find(({ impu }) => impu === params.impu);
    if (own === undefined) throw new Refusal(404, "The subscriber has no such public identity");
    return own.impu;
  }
}
