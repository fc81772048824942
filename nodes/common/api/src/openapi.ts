import { z } from "zod";
import {
  akaAnswerSchema,
  akaVerdictSchema,
  digestProofSchema,
  digestVerdictSchema,
  identityOwnerSchema,
} from "./authentication.ts";
import { homesteadProvPaths, homesteadProvSchemas } from "./homestead-prov-openapi.ts";
import {
  changedSubscriberSchema,
  deregistrationSchema,
  importReportSchema,
  importRequestSchema,
  newSubscriberSchema,
  problemSchema,
  sharingSubscriberSchema,
  subscriberPageSchema,
  subscriberSchema,
} from "./provisioning.ts";

type Json = Readonly<Record<string, unknown>>;

const input = (schema: z.ZodType): Json => strip(z.toJSONSchema(schema, { io: "input" }));
const output = (schema: z.ZodType): Json => strip(z.toJSONSchema(schema, { io: "output" }));

/** The provisioning API as an OpenAPI 3.1 document, made from the schemas that validate it. */
export function openApiDocument(): Json {
  const impi = {
    name: "impi",
    in: "path",
    required: true,
    schema: { type: "string" },
    description: "private identity",
  };
  const query = (name: string, description: string, schema: Json): Json => ({
    name,
    in: "query",
    description,
    schema,
  });
  const none = { description: "done" };
  return {
    openapi: "3.1.0",
    info: {
      title: "Tidewater provisioning",
      version: "1",
      description: "Subscribers of the built-in HSS. Secrets are write-only.",
    },
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer", description: "needed beyond loopback" } },
      schemas: {
        NewSubscriber: input(newSubscriberSchema),
        SharingSubscriber: input(sharingSubscriberSchema),
        ChangedSubscriber: input(changedSubscriberSchema),
        Deregistration: input(deregistrationSchema),
        Subscriber: output(subscriberSchema),
        SubscriberPage: output(subscriberPageSchema),
        ImportRequest: input(importRequestSchema),
        ImportReport: output(importReportSchema),
        AkaAnswer: input(akaAnswerSchema),
        AkaVerdict: output(akaVerdictSchema),
        DigestProof: input(digestProofSchema),
        DigestVerdict: output(digestVerdictSchema),
        IdentityOwner: output(identityOwnerSchema),
        Problem: output(problemSchema),
        ...homesteadProvSchemas(),
      },
    },
    security: [{}, { token: [] }],
    paths: {
      "/subscribers": {
        get: operation(
          "list",
          "Subscribers by private identity, a page at a time",
          { 200: content("SubscriberPage") },
          {
            parameters: [
              query("after", "`next` of the page before", { type: "string" }),
              query("limit", "subscribers on a page", {
                type: "integer",
                minimum: 1,
                maximum: 1000,
                default: 100,
              }),
              query("search", "part of an identity", { type: "string" }),
            ],
          },
        ),
        post: operation(
          "add",
          "Adds a subscriber, or one more private identity to the subscription of another",
          { 201: content("Subscriber") },
          bodyOf("NewSubscriber", "SharingSubscriber"),
        ),
      },
      "/subscribers/{impi}": {
        parameters: [impi],
        get: operation("show", "One subscriber", { 200: content("Subscriber") }),
        patch: operation(
          "update",
          "Changes what is given",
          { 200: content("Subscriber") },
          body("ChangedSubscriber"),
        ),
        delete: operation(
          "delete",
          "Deregisters and removes a subscriber; private identities that share its sets keep them",
          { 204: none },
        ),
      },
      "/subscribers/{impi}/deregister": {
        parameters: [impi],
        post: operation(
          "deregister",
          "Ends its registration at the S-CSCF (RTR)",
          { 204: none },
          body("Deregistration", false),
        ),
      },
      "/subscribers/{impi}/verify-digest": {
        parameters: [impi],
        post: operation(
          "verifyDigest",
          "Whether an answer to a Digest challenge proves the subscriber's password (RFC 7616)",
          { 200: content("DigestVerdict") },
          body("DigestProof"),
        ),
      },
      "/subscribers/{impi}/compare-aka": {
        parameters: [impi],
        post: operation(
          "compareAka",
          "Whether a wrong answer to an AKA challenge fits when the stored OPc is taken for OP (TS 35.206)",
          { 200: content("AkaVerdict") },
          body("AkaAnswer"),
        ),
      },
      "/public-identities/{impu}": {
        parameters: [{ ...impi, name: "impu", description: "public identity" }],
        get: operation("owner", "Who a public identity belongs to", { 200: content("IdentityOwner") }),
      },
      "/subscribers/import": {
        post: operation(
          "import",
          "Adds many at once",
          { 200: content("ImportReport") },
          body("ImportRequest"),
        ),
      },
      ...homesteadProvPaths(operation),
    },
  };
}

function operation(operationId: string, summary: string, responses: Json, more: Json = {}): Json {
  const problem = {
    description: "refused (RFC 9457)",
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
  return { operationId, summary, ...more, responses: { ...responses, default: problem } };
}

function content(name: string): Json {
  return {
    description: name,
    content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } },
  };
}

function body(name: string, required = true): Json {
  return { requestBody: { required, content: content(name)["content"] } };
}

function bodyOf(...names: readonly string[]): Json {
  const oneOf = names.map((name) => ({ $ref: `#/components/schemas/${name}` }));
  return { requestBody: { required: true, content: { "application/json": { schema: { oneOf } } } } };
}

/** Inside a document the dialect is said once, by `openapi`. */
function strip(schema: Json): Json {
  const { $schema: _dialect, ...rest } = schema;
  return rest;
}
