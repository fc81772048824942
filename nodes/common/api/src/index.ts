export {
  type AuditEntry,
  type AuditFilter,
  auditEntrySchema,
  auditFilterSchema,
  auditPageSchema,
  auditQuerySchema,
} from "./audit.ts";
export {
  type AkaAnswer,
  type AkaVerdict,
  akaAnswerSchema,
  akaVerdictSchema,
  type DigestProof,
  type DigestVerdict,
  digestProofSchema,
  digestVerdictSchema,
  type IdentityOwner,
  identityOwnerSchema,
} from "./authentication.ts";
export { CallListClient, type CallListClientOptions } from "./call-list-client.ts";
export {
  CALL_FRAGMENTS_PATH,
  type CallFragment,
  type CallFragmentsReport,
  callFragmentsReportSchema,
  callFragmentsSchema,
  MAX_CALL_FRAGMENTS,
  MAX_CALL_NAME,
  MAX_CALL_URI,
} from "./call-lists.ts";
export {
  CHARGING_EVENTS_PATH,
  type ChargingReport,
  chargingEventSchema,
  chargingEventsSchema,
  chargingReportSchema,
  type DeadLetter,
  deadLetterSchema,
  deadLettersSchema,
  MAX_CHARGING_EVENTS,
} from "./charging.ts";
export {
  ChargingClient,
  type ChargingClientCounters,
  type ChargingClientOptions,
} from "./charging-client.ts";
export {
  type CoreAlarm,
  type CoreAlarms,
  type CoreMember,
  coreAlarmSchema,
  type ExaminationDocument,
  type Ladder,
  type Ladders,
  ladderQuerySchema,
  type PoolMap,
  type RecentPage,
  type RecentRow,
  type RegistrationsPage,
  recentQuerySchema,
  registrationsQuerySchema,
  stepQuerySchema,
} from "./core-view.ts";
export {
  associatedPublicIdsSchema,
  privateCredentialsSchema,
  privateDocumentSchema,
  privateIdsSchema,
  privateSetsSchema,
  publicIdListSchema,
  publicIdQuerySchema,
  publicIdsSchema,
} from "./homestead-prov.ts";
export { openApiDocument } from "./openapi.ts";
export { type PhoneConfiguration, phoneConfigurationSchema } from "./phone.ts";
export { apiProblems } from "./problems.ts";
export {
  type ChangedSubscriber,
  changedCredentialsSchema,
  changedSubscriberSchema,
  credentialsSchema,
  type Deregistration,
  deregistrationSchema,
  type ImportReport,
  impiSchema,
  importReportSchema,
  importRequestSchema,
  impuSchema,
  type NewSubscriber,
  newSubscriberSchema,
  type Problem,
  problemSchema,
  publicIdentitySchema,
  registrationStates,
  type SharingSubscriber,
  type Subscriber,
  type SubscriberPage,
  sharingSubscriberSchema,
  subscriberPageSchema,
  subscriberSchema,
} from "./provisioning.ts";
export { ProvisioningClient, ProvisioningError, type ProvisioningFault } from "./provisioning-client.ts";
export {
  type Registrations,
  registrationsSchema,
} from "./registrations.ts";
export {
  type ManagementDoor,
  ManagementError,
  type ManagementFault,
  readRegistrations,
} from "./registrations-client.ts";
export {
  type AllocatedNumber,
  addressBookSchema,
  allocatedNumberSchema,
  ellisErrorSchema,
  listedSchema,
  type NumberDocument,
  newAccountSchema,
  newNumberSchema,
  newSessionSchema,
  numberDocumentSchema,
  numberRangeSchema,
  numberRangesSchema,
  numbersDocumentSchema,
  sessionDocumentSchema,
  sipPasswordSchema,
  specificNumberSchema,
} from "./self-provisioning.ts";
export { ellisOpenApiDocument } from "./self-provisioning-openapi.ts";
export { initialFilterCriteriaSchema, servicesSchema } from "./services.ts";
export { type SimservsAnswer, SimservsClient, type SimservsClientOptions } from "./simservs-client.ts";
export { type DocumentAnswer, SimservsDocuments } from "./simservs-documents.ts";
export {
  type ChangedStaff,
  changedStaffSchema,
  type MadeStaff,
  madeStaffSchema,
  type NewStaff,
  newStaffSchema,
  ownPasswordSchema,
  type StaffAccount,
  staffAccountSchema,
  staffAccountsSchema,
  staffPageQuerySchema,
  staffRoleSchema,
  staffSessionSchema,
} from "./staff.ts";
export { StaffClient, StaffError, type StaffFault } from "./staff-client.ts";
export {
  CSV_COLUMNS,
  CSV_FORMAT,
  type CsvColumn,
  type CsvFault,
  type CsvHeader,
  type CsvReport,
  type CsvRow,
  csvHeader,
  csvImportQuerySchema,
  csvLimitsSchema,
  csvReportSchema,
  faultsOfRow,
  subscriberOfRow,
} from "./subscriber-csv.ts";
export {
  type CoturnOptions,
  coturnConfiguration,
  TURN_PORT,
  TURN_RELAY_PORTS,
} from "./turn/coturn-configuration.ts";
export {
  MIN_TURN_SECRET,
  type TurnCredentials,
  turnCredentials,
  turnCredentialsSchema,
  turnUser,
} from "./turn/credentials.ts";
export { peerRange } from "./turn/peer-range.ts";
