import { z } from "zod";
import {
  associatedPublicIdsSchema,
  privateCredentialsSchema,
  privateDocumentSchema,
  privateIdsSchema,
  privateSetsSchema,
  publicIdListSchema,
  publicIdsSchema,
} from "./homestead-prov.ts";

type Json = Readonly<Record<string, unknown>>;
type Operation = (id: string, summary: string, responses: Json, more?: Json) => Json;

/** Schemas of the paths below, by the names they are referred to. */
export function homesteadProvSchemas(): Json {
  const schemas = {
    PrivateCredentials: privateCredentialsSchema,
    PrivateDocument: privateDocumentSchema,
    PrivateSets: privateSetsSchema,
    AssociatedPublicIds: associatedPublicIdsSchema,
    PublicIds: publicIdsSchema,
    PrivateIds: privateIdsSchema,
    PublicIdList: publicIdListSchema,
  };
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema: _dialect, ...rest } = z.toJSONSchema(schema);
      return [name, rest];
    }),
  );
}

const parameter = (name: string, description: string): Json => ({
  name,
  in: "path",
  required: true,
  schema: { type: "string" },
  description,
});
const PRIVATE = parameter("impi", "private identity");
const SET = parameter("irs", "implicit registration set");
const PROFILE = parameter("profile", "service profile");
const PUBLIC = parameter("impu", "public identity");

const done = (description: string): Json => ({ description });
const answer = (name: string): Json => ({
  description: name,
  content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } },
});
const made = { description: "made", headers: { Location: { schema: { type: "string" } } } };
const there = { description: "there", headers: { Location: { schema: { type: "string" } } } };
const xml = { "application/xml": { schema: { type: "string" } } };

/** The paths that provisioning tools of Project Clearwater use. */
export function homesteadProvPaths(operation: Operation): Json {
  const associate = (id: string): Json => ({
    put: operation(id, "Lets a private identity register the set", { 200: done("it may") }),
    delete: operation(`${id}Not`, "It may no longer; its registration ends", {
      200: done("it may not"),
      204: done("it is not there"),
    }),
  });
  return {
    "/ping": {
      get: operation("ping", "Whether it runs", {
        200: { description: "OK", content: { "text/plain": { schema: { type: "string" } } } },
      }),
    },
    "/private/{impi}": {
      parameters: [PRIVATE],
      get: operation("privateIdentity", "Whether it is there", { 200: answer("PrivateDocument") }),
      put: operation(
        "putPrivateIdentity",
        "Makes it, or changes what it is authenticated with",
        { 200: done("done") },
        {
          requestBody: {
            required: true,
            content: { "application/json": { schema: { $ref: "#/components/schemas/PrivateCredentials" } } },
          },
        },
      ),
      delete: operation("deletePrivateIdentity", "Deletes it, with the sets that nobody else may register", {
        200: done("deleted"),
        204: done("it is not there"),
      }),
    },
    "/private/{impi}/associated_implicit_registration_sets": {
      parameters: [PRIVATE],
      get: operation("privateIdentitySets", "Sets it may register", { 200: answer("PrivateSets") }),
    },
    "/private/{impi}/associated_implicit_registration_sets/{irs}": {
      parameters: [PRIVATE, SET],
      ...associate("associateSet"),
    },
    "/private/{impi}/associated_public_ids": {
      parameters: [PRIVATE],
      get: operation("privateIdentityPublicIds", "Public identities it may register", {
        200: answer("AssociatedPublicIds"),
      }),
    },
    "/irs": { post: operation("newSet", "Makes an implicit registration set", { 201: made }) },
    "/irs/{irs}": {
      parameters: [SET],
      delete: operation("deleteSet", "Deletes it, with its public identities", {
        200: done("deleted"),
        204: done("it is not there"),
      }),
    },
    "/irs/{irs}/public_ids": {
      parameters: [SET],
      get: operation("setPublicIds", "Its public identities", { 200: answer("PublicIds") }),
    },
    "/irs/{irs}/private_ids": {
      parameters: [SET],
      get: operation("setPrivateIds", "Who may register it", { 200: answer("PrivateIds") }),
    },
    "/irs/{irs}/private_ids/{impi}": { parameters: [SET, PRIVATE], ...associate("associatePrivateIdentity") },
    "/irs/{irs}/service_profiles": {
      parameters: [SET],
      post: operation("newProfile", "Makes a service profile", { 201: made }),
    },
    "/irs/{irs}/service_profiles/{profile}": {
      parameters: [SET, PROFILE],
      delete: operation("deleteProfile", "Deletes it, with its public identities", {
        200: done("deleted"),
        204: done("it is not there"),
      }),
    },
    "/irs/{irs}/service_profiles/{profile}/public_ids": {
      parameters: [SET, PROFILE],
      get: operation("profilePublicIds", "Its public identities", { 200: answer("PublicIds") }),
    },
    "/irs/{irs}/service_profiles/{profile}/public_ids/{impu}": {
      parameters: [SET, PROFILE, PUBLIC],
      get: operation("profilePublicId", "PublicIdentity of TS 29.228 annex E", {
        200: { description: "PublicIdentity", content: xml },
      }),
      put: operation(
        "putPublicId",
        "Adds a public identity, or changes whether it is barred",
        { 200: done("done") },
        { requestBody: { required: true, content: xml } },
      ),
      delete: operation("deletePublicId", "Deletes it", { 200: done("deleted") }),
    },
    "/irs/{irs}/service_profiles/{profile}/filter_criteria": {
      parameters: [SET, PROFILE],
      get: operation("filterCriteria", "ServiceProfile of TS 29.228 annex E, filter criteria only", {
        200: { description: "ServiceProfile", content: xml },
      }),
      put: operation(
        "putFilterCriteria",
        "Replaces its filter criteria",
        { 200: done("done") },
        { requestBody: { required: true, content: xml } },
      ),
    },
    "/public": {
      get: operation("publicIds", "Public identities, in parts", { 200: answer("PublicIdList") }),
    },
    "/public/{impu}/service_profile": {
      parameters: [PUBLIC],
      get: operation("publicIdProfile", "Where its service profile is", { 303: there }),
    },
    "/public/{impu}/irs": {
      parameters: [PUBLIC],
      get: operation("publicIdSet", "Where its set is", { 303: there }),
    },
    "/public/{impu}/associated_private_ids": {
      parameters: [PUBLIC],
      get: operation("publicIdPrivateIds", "Who may register it", { 200: answer("PrivateIds") }),
    },
  };
}
