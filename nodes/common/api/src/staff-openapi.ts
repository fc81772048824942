import { content, type Json, operation, output, query } from "./openapi-parts.ts";
import { subscriberPageSchema } from "./provisioning.ts";
import { staffPageQuerySchema, staffSessionSchema } from "./staff.ts";

/** What the portal of operators asks of ellis: schemas. */
export function staffSchemas(): Json {
  return {
    StaffSession: output(staffSessionSchema),
    SubscriberPage: output(subscriberPageSchema),
  };
}

/** The same: paths. Each says which role it takes. */
export function staffPaths(): Json {
  return {
    "/staff/session": {
      get: operation(
        "staffSession",
        "Who is logged in, and as what",
        { 200: content("StaffSession") },
        by("viewer"),
      ),
    },
    "/staff/subscribers": {
      parameters: query(staffPageQuerySchema),
      get: operation(
        "subscribers",
        "Subscribers, page by page",
        { 200: content("SubscriberPage") },
        by("viewer"),
      ),
    },
  };
}

/** Who may: staff of that role or a higher one, or who shows the API key. */
export function by(role: "viewer" | "operator" | "administrator"): Json {
  return { "x-role": role, security: [{ session: [] }, { apiKey: [] }] };
}
