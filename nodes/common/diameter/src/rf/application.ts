import { type Application, pair } from "../codec/command.ts";
import { AccountingAnswer, AccountingRequest, RF_APPLICATION_ID } from "./commands.ts";

/** Request with its answer; what `DiameterNode.request` and `.handle` take. */
export const Acr = pair(AccountingRequest, AccountingAnswer);

/** Rf: TS 32.299 §6.2 on the accounting application of RFC 6733 §9, announced in Acct-Application-Id. */
export const rf: Application = {
  name: "rf",
  id: RF_APPLICATION_ID,
  vendorId: 0,
  accounting: true,
  commands: [Acr],
};
