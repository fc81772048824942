import type { DocumentAnswer, SimservsDocuments } from "@ims/api";
import { buildFilterCriteriaSet, buildSimservs, parseFilterCriteriaSet } from "@ims/ims";
import type { FastifyInstance } from "fastify";
import type {
  CriteriaResult,
  NewCriteria,
  Provisioning,
  SetCriteriaResult,
} from "../numbers/provisioning.ts";
import type { AdmissionModules } from "./admission.ts";
import { bodyOf } from "./fields.ts";
import { type NamedNumber, numberOf } from "./number-routes.ts";
import { Refusal, upstream } from "./refusal.ts";

export interface DocumentModules extends AdmissionModules {
  readonly provisioning: Provisioning;
  readonly simservs: SimservsDocuments | undefined;
}

/** Far more than a service profile has, and read in some milliseconds. */
const MAX_ELEMENTS = 1_500;
const PATH = "/accounts/:email/numbers/:uri";

/** Settings of services and filter criteria of a number, as XML of any media type: the tools of Clearwater say none that is right. */
export function documentRoutes(app: FastifyInstance, modules: DocumentModules): void {
  app.get<NamedNumber>(`${PATH}/simservs`, { config: { resource: "simservs" } }, async (request, reply) => {
    const { number } = await numberOf(request, modules);
    const document = await simservsDocuments(modules).read(number.uri);
    return reply.type("application/vnd.etsi.simservs+xml").send(document);
  });

  app.put<NamedNumber>(`${PATH}/simservs`, { config: { resource: "simservs" } }, async (request, reply) => {
    const { number } = await numberOf(request, modules);
    await simservsDocuments(modules).write(number.uri, bodyOf(request));
    return reply.code(200).send();
  });

  app.get<NamedNumber>(`${PATH}/ifcs`, { config: { resource: "ifcs" } }, async (request, reply) => {
    const { number } = await numberOf(request, modules);
    return reply.type("application/xml").send(await criteriaOf(number.privateId, modules));
  });

  app.put<NamedNumber>(`${PATH}/ifcs`, { config: { resource: "ifcs" } }, async (request, reply) => {
    const { number } = await numberOf(request, modules);
    await setCriteria(number.privateId, criteriaIn(bodyOf(request)), modules);
    return reply.code(200).send();
  });
}

/** Documents at homer; both throw Refusal. */
export function simservsDocuments({ simservs }: Pick<DocumentModules, "simservs">) {
  if (simservs === undefined) throw new Refusal(501, "There is no homer for simservs documents");
  return {
    /** One that says nothing where there is none. */
    async read(impu: string): Promise<string> {
      const answer = await simservs.get(impu);
      if (answer.kind === "found") return answer.document;
      return answer.kind === "notFound" ? buildSimservs({}) : refusedBy(answer);
    },
    async write(impu: string, document: string): Promise<void> {
      const answer = await simservs.put(impu, document);
      if (answer.kind !== "stored") refusedBy(answer);
    },
  };
}

/** Filter criteria of a private identity's service profile, as XML. Throws Refusal. */
export async function criteriaOf(
  impi: string,
  { provisioning }: Pick<DocumentModules, "provisioning">,
): Promise<string> {
  const result = await provisioning.criteria(impi);
  if (result.kind !== "criteria") return refusedCriteria(result);
  return buildFilterCriteriaSet(result.criteria);
}

/** Throws Refusal for what are no filter criteria, or too many. */
export function criteriaIn(xml: string): NewCriteria {
  if (elementsIn(xml) > MAX_ELEMENTS)
    throw new Refusal(400, `More than ${MAX_ELEMENTS} elements of filter criteria`);
  const parsed = parseFilterCriteriaSet(xml, { mayLackPriority: true });
  if (parsed.kind === "malformed")
    throw new Refusal(400, `Not filter criteria of TS 29.228 annex E: ${parsed.reason}`.slice(0, 500));
  return structuredClone(parsed.sets) as NewCriteria;
}

/** Throws Refusal. */
export async function setCriteria(
  impi: string,
  criteria: NewCriteria,
  { provisioning }: Pick<DocumentModules, "provisioning">,
): Promise<void> {
  const result = await provisioning.setCriteria(impi, criteria);
  if (result.kind !== "set") refusedCriteria(result);
}

/** A bound on what reading costs, before it is read. */
function elementsIn(xml: string): number {
  let count = 0;
  for (let at = xml.indexOf("<"); at >= 0; at = xml.indexOf("<", at + 1))
    if (xml.charCodeAt(at + 1) !== 0x2f) count++;
  return count;
}

function refusedBy(answer: DocumentAnswer): never {
  if (answer.kind === "refused")
    throw new Refusal(400, `homer refuses the document: ${answer.problem}`.slice(0, 500));
  throw upstream(answer.kind === "unavailable" ? answer.problem : "homer does not know the number");
}

function refusedCriteria(
  result: Exclude<CriteriaResult | SetCriteriaResult, { readonly kind: "criteria" | "set" }>,
): never {
  switch (result.kind) {
    case "unknown":
      throw new Refusal(404, "homestead does not know the number");
    case "refused":
      throw new Refusal(400, result.problem.slice(0, 500));
    case "inUse":
      throw new Refusal(409, "The number is being changed by others; try again");
    case "upstream":
      throw upstream(result.problem);
  }
}
