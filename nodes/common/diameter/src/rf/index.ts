export { Acr, rf } from "./application.ts";
export {
  AccountingRecordTypeValue,
  ImsEmergencyIndicatorValue,
  MediaInitiatorFlagValue,
  NodeFunctionalityValue,
  RoleOfNodeValue,
  SdpTypeValue,
  SubscriptionIdTypeValue,
} from "./avps.ts";
export { AccountingAnswer, AccountingRequest, RF_APPLICATION_ID } from "./commands.ts";
