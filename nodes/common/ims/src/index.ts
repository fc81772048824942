export {
  CHARGING_EVENT_KINDS,
  CHARGING_NODES,
  type ChargedServers,
  type ChargingEvent,
  type ChargingEventKind,
  type ChargingNode,
  type ChargingRole,
} from "./charging/charging-event.ts";
export {
  type ChargingFunctionAddresses,
  parseChargingFunctionAddresses,
} from "./charging/charging-function-addresses.ts";
export {
  type ChargedMessage,
  type ChargedRequest,
  ChargingTriggers,
  type ChargingTriggersOptions,
} from "./charging/charging-triggers.ts";
export { eventId } from "./charging/event-id.ts";
export { icidGenerator } from "./charging/icid.ts";
export {
  buildPChargingVector,
  type PChargingVector,
  parsePChargingVector,
} from "./charging/p-charging-vector.ts";
export { isPsapCallback } from "./emergency/psap-callback.ts";
export { emergencyService, widerServices } from "./emergency/service-urn.ts";
export { isEmergencyContact, isEmergencyRegistration } from "./emergency/sos-parameter.ts";
export { impiOfImpu, isImpi } from "./identity/impi.ts";
export { canonicalImpu, telOfPhoneUri } from "./identity/impu.ts";
export {
  isWildcarded,
  matchesWildcard,
  parseWildcardedImpu,
  type WildcardedImpu,
} from "./identity/wildcarded-impu.ts";
export {
  type CompiledCriteria,
  compileFilterCriteria,
  effortOfRequest,
  nextMatching,
} from "./ifc/evaluate.ts";
export type { EvaluatedRequest } from "./ifc/evaluated-request.ts";
export {
  type ApplicationServer,
  type InitialFilterCriteria,
  RegistrationType,
  type ServicePointTrigger,
  SessionCase,
  type TriggerCondition,
  type TriggerPoint,
} from "./ifc/initial-filter-criteria.ts";
export { buildFilterCriteriaSet } from "./profile/build-ifc.ts";
export { buildUserProfile } from "./profile/build-user-profile.ts";
export {
  type FilterCriteriaSetOptions,
  type IfcSetsResult,
  parseFilterCriteriaSet,
  parseSharedIfcSets,
} from "./profile/parse-ifc-sets.ts";
export { parseUserProfile } from "./profile/parse-user-profile.ts";
export { ProfileTemplates } from "./profile/profile-templates.ts";
export {
  buildProfileServices,
  buildPublicIdentity,
  type ProfileServices,
  type ProvisionedResult,
  parseProfileServices,
  parsePublicIdentity,
} from "./profile/provisioned-profile.ts";
export { type OfferedScscf, rankScscfs, type ServerCapabilities } from "./profile/server-capabilities.ts";
export {
  type ExtendedPriority,
  IdentityType,
  type PublicIdentity,
  type ServiceProfile,
  type UserProfile,
  type UserProfileFault,
  type UserProfileResult,
} from "./profile/user-profile.ts";
export { escapeXml } from "./profile/xml.ts";
export type { Binding } from "./registration/binding.ts";
export {
  type GruuTarget,
  grOf,
  grParameter,
  publicGruu,
  temporaryGruu,
  temporaryGruuTarget,
} from "./registration/gruu.ts";
export {
  aliasesOf,
  type ImplicitRegistrationSet,
  implicitRegistrationSet,
  type Member,
  memberOf,
} from "./registration/implicit-registration-set.ts";
export {
  buildRegInfo,
  CONTACT_EVENTS,
  type ContactEvent,
  parseRegInfo,
  REG_INFO_TYPE,
  type RegInfo,
  type RegInfoContact,
  type RegInfoRegistration,
  type RegInfoResult,
} from "./registration/reg-info.ts";
export {
  compileExtendedRegularExpression,
  type Effort,
  type ExtendedRegularExpression,
} from "./regular-expression/extended.ts";
export {
  compileSubstitution,
  type Substitution,
  type SubstitutionResult,
} from "./regular-expression/substitution.ts";
export { buildSimservs } from "./simservs/build-simservs.ts";
export { parseSimservs } from "./simservs/parse-simservs.ts";
export { readSimservs } from "./simservs/read-simservs.ts";
export {
  COMMON_POLICY_NAMESPACE,
  type CommunicationBarring,
  type CommunicationDiversion,
  type Condition,
  type ForwardTo,
  type IdentityRestriction,
  type Many,
  type Rule,
  SIMSERVS_NAMESPACE,
  type Simservs,
  type SimservsFault,
  type SimservsResult,
} from "./simservs/simservs.ts";
export { decodeUtf8, type ReadXmlOptions, readXmlDocument } from "./xml/read-xml-document.ts";
export {
  attributeOf,
  type XmlAttribute,
  type XmlElement,
  type XmlFault,
  type XmlResult,
} from "./xml/xml-element.ts";
