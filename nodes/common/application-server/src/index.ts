export {
  type ApplicationServer,
  type ApplicationServerModule,
  INTERFACE_VERSION,
  type InDialogAck,
  type ThirdPartyRegistration,
} from "./application-server.ts";
export { createHost, type HostParts } from "./create-host.ts";
export { ApplicationServerError, type ApplicationServerFault } from "./errors.ts";
export {
  type HostedOutcome,
  HostedServer,
  type HostedServerModules,
  type HostedServerOptions,
} from "./hosted-server.ts";
export { hostedServerReports, type ReportParts } from "./hosted-server-reports.ts";
export {
  type LoadedServer,
  type LoadModules,
  type LoadOptions,
  loadApplicationServer,
} from "./load-application-server.ts";
export { type PServedUser, parsePServedUser, pServedUser } from "./p-served-user.ts";
export { applicationServerProblems } from "./problems.ts";
export { MAX_STATE_BYTES, SealedStates, type SealedStatesOptions } from "./sealed-states.ts";
export { assertedCallers, type ServedUser, servedBy } from "./served-user.ts";
export type { ServerHost, ServerLog, ServerMetrics } from "./server-host.ts";
export type {
  Branch,
  ForwardOptions,
  InDialogRequest,
  InitialRequest,
  ServiceRequest,
} from "./service-request.ts";
export { ServiceUris } from "./service-uris.ts";
