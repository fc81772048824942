import { auditFilterSchema, auditPageSchema, auditQuerySchema } from "./audit.ts";
import { content, input, type Json, none, operation, output, path, query } from "./openapi-parts.ts";
import {
  changedSubscriberSchema,
  deregistrationSchema,
  newSubscriberSchema,
  sharingSubscriberSchema,
  subscriberPageSchema,
  subscriberSchema,
} from "./provisioning.ts";
import {
  changedStaffSchema,
  madeStaffSchema,
  newStaffSchema,
  ownPasswordSchema,
  staffAccountsSchema,
  staffPageQuerySchema,
  staffSessionSchema,
} from "./staff.ts";
import { csvImportQuerySchema, csvLimitsSchema, csvReportSchema } from "./subscriber-csv.ts";

const SUBSCRIBER = "/staff/subscribers/{impi}";

/** What the portal of operators asks of ellis: schemas. */
export function staffSchemas(): Json {
  return {
    StaffSession: output(staffSessionSchema),
    StaffAccounts: output(staffAccountsSchema),
    NewStaff: input(newStaffSchema),
    ChangedStaff: input(changedStaffSchema),
    MadeStaff: output(madeStaffSchema),
    OwnPassword: input(ownPasswordSchema),
    AuditPage: output(auditPageSchema),
    SubscriberPage: output(subscriberPageSchema),
    Subscriber: output(subscriberSchema),
    NewSubscriber: input(newSubscriberSchema),
    SharingSubscriber: input(sharingSubscriberSchema),
    ChangedSubscriber: input(changedSubscriberSchema),
    Deregistration: input(deregistrationSchema),
    CsvLimits: output(csvLimitsSchema),
    CsvReport: output(csvReportSchema),
  };
}

/** The same: paths. `x-role` is the least role that may. */
export function staffPaths(): Json {
  return { ...accountPaths(), ...auditPaths(), ...subscriberPaths(), ...servicePaths() };
}

/** Who may: staff of that role or a higher one, or who shows the API key. */
export function by(role: "viewer" | "operator" | "administrator"): Json {
  return { "x-role": role, security: [{ session: [] }, { apiKey: [] }] };
}

function accountPaths(): Json {
  return {
    "/staff/session": {
      get: operation("staffSession", "Who is logged in, and as what", ok("StaffSession"), by("viewer")),
    },
    "/staff/password": {
      post: operation(
        "changeOwnPassword",
        "Another password; other sessions go on",
        { 204: none },
        { ...by("viewer"), ...json("OwnPassword") },
      ),
    },
    "/staff/accounts": {
      get: operation("staff", "Who works with the portal", ok("StaffAccounts"), by("administrator")),
      post: operation(
        "addStaff",
        "Somebody more",
        { 201: content("MadeStaff") },
        { ...by("administrator"), ...json("NewStaff") },
      ),
    },
    "/staff/accounts/{email}": {
      parameters: [path("email", "e-mail address of the account")],
      patch: operation("changeStaff", "Another role, or a new password", ok("MadeStaff"), {
        ...by("administrator"),
        ...json("ChangedStaff"),
      }),
      delete: operation("removeStaff", "Takes the role away", { 204: none }, by("administrator")),
    },
  };
}

function auditPaths(): Json {
  const lines = { "application/jsonl": { schema: { type: "string" } } };
  return {
    "/staff/audit": {
      parameters: query(auditQuerySchema),
      get: operation("audit", "What staff did", ok("AuditPage"), by("administrator")),
    },
    "/staff/audit.jsonl": {
      parameters: query(auditFilterSchema),
      get: operation(
        "auditExport",
        "The same, all of it, an entry a line",
        { 200: { description: "entries, the latest first", content: lines } },
        by("administrator"),
      ),
    },
  };
}

function subscriberPaths(): Json {
  const impi = path("impi", "private identity");
  const either = { oneOf: ["NewSubscriber", "SharingSubscriber"].map(reference) };
  const csv = { "text/csv": { schema: { type: "string" } } };
  return {
    "/staff/subscribers": {
      get: operation("subscribers", "Subscribers, page by page", ok("SubscriberPage"), {
        ...by("viewer"),
        parameters: query(staffPageQuerySchema),
      }),
      post: operation(
        "addSubscriber",
        "Adds a subscriber, or a private identity to a subscription",
        { 201: content("Subscriber") },
        {
          ...by("operator"),
          requestBody: { required: true, content: { "application/json": { schema: either } } },
        },
      ),
    },
    [SUBSCRIBER]: {
      parameters: [impi],
      get: operation("subscriber", "One subscriber, without secrets", ok("Subscriber"), by("viewer")),
      patch: operation("changeSubscriber", "Identities, credentials, services", ok("Subscriber"), {
        ...by("operator"),
        ...json("ChangedSubscriber"),
      }),
      delete: operation("deleteSubscriber", "Deletes a subscriber", { 204: none }, by("operator")),
    },
    [`${SUBSCRIBER}/deregister`]: {
      parameters: [impi],
      post: operation(
        "deregisterSubscriber",
        "Ends its registrations",
        { 204: none },
        { ...by("operator"), ...json("Deregistration") },
      ),
    },
    "/staff/subscriber-import": {
      get: operation("importLimits", "What a file may be", ok("CsvLimits"), by("operator")),
      post: operation(
        "importSubscribers",
        "Adds the subscribers of a CSV file, all of them or none",
        ok("CsvReport"),
        {
          ...by("operator"),
          parameters: query(csvImportQuerySchema),
          requestBody: { required: true, content: csv },
        },
      ),
    },
  };
}

function servicePaths(): Json {
  const impi = path("impi", "private identity");
  const both = (name: string, type: string, parameters: readonly Json[]): Json => {
    const xml = { content: { [type]: { schema: { type: "string" } } } };
    return {
      parameters,
      get: operation(
        `subscriber-${name}`,
        `Reads ${name}`,
        { 200: { description: name, ...xml } },
        by("viewer"),
      ),
      put: operation(
        `set-subscriber-${name}`,
        `Replaces ${name}`,
        { 204: none },
        { ...by("operator"), requestBody: { required: true, ...xml } },
      ),
    };
  };
  return {
    [`${SUBSCRIBER}/ifcs`]: both("ifcs", "application/xml", [impi]),
    [`${SUBSCRIBER}/simservs/{impu}`]: both("simservs", "application/vnd.etsi.simservs+xml", [
      impi,
      path("impu", "public identity"),
    ]),
  };
}

function ok(name: string): Json {
  return { 200: content(name) };
}

function json(name: string): Json {
  return {
    requestBody: { required: true, content: { "application/json": { schema: reference(name) } } },
  };
}

function reference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}
