import { step, type Table } from "./fsm.ts";

export type ClientInviteState = "calling" | "proceeding" | "completed" | "accepted" | "terminated";
export type ClientInput =
  | "1xx"
  | "2xx"
  | "300-699"
  | "timerA"
  | "timerB"
  | "timerD"
  | "timerE"
  | "timerF"
  | "timerK"
  | "timerM"
  | "transportError";
export type ClientAction =
  | "sendRequest"
  | "sendAck"
  | "passUp"
  | "informTimeout"
  | "informTransportError"
  | "startA"
  | "startB"
  | "startD"
  | "startE"
  | "startEAtT2"
  | "startF"
  | "startK"
  | "startM"
  | "stopRetransmission"
  | "stopTimeout";

/** INVITE client transaction: RFC 3261 §17.1.1, figure 5, as amended by RFC 6026 §8.4. Entered in "calling" with sendRequest, startA (UDP), startB. */
export const clientInvite: Table<ClientInviteState, ClientInput, ClientAction> = {
  calling: {
    timerA: step("calling", "sendRequest", "startA"),
    timerB: step("terminated", "informTimeout"),
    transportError: step("terminated", "informTransportError"),
    "1xx": step("proceeding", "stopRetransmission", "stopTimeout", "passUp"),
    "2xx": step("accepted", "stopRetransmission", "stopTimeout", "passUp", "startM"),
    "300-699": step("completed", "stopRetransmission", "stopTimeout", "sendAck", "passUp", "startD"),
  },
  proceeding: {
    transportError: step("terminated", "informTransportError"),
    "1xx": step("proceeding", "passUp"),
    "2xx": step("accepted", "passUp", "startM"),
    "300-699": step("completed", "sendAck", "passUp", "startD"),
  },
  completed: {
    "300-699": step("completed", "sendAck"),
    transportError: step("terminated"),
    timerD: step("terminated"),
  },
  accepted: {
    "2xx": step("accepted", "passUp"),
    timerM: step("terminated"),
  },
  terminated: {},
};
