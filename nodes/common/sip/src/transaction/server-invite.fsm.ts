import { step, type Table } from "./fsm.ts";

export type ServerInviteState = "proceeding" | "completed" | "confirmed" | "accepted" | "terminated";
export type ServerInput =
  | "request"
  | "ack"
  | "1xx"
  | "2xx"
  | "300-699"
  | "timerG"
  | "timerH"
  | "timerI"
  | "timerJ"
  | "timerL"
  | "transportError";
export type ServerAction =
  | "sendResponse"
  | "resendResponse"
  | "passAckUp"
  | "informNoAck"
  | "startG"
  | "startH"
  | "startI"
  | "startJ"
  | "startL"
  | "stopRetransmission"
  | "stopTimeout";

/** INVITE server transaction: RFC 3261 §17.2.1, figure 7, as amended by RFC 6026 §8.4 (2xx retransmissions are the UAS's). */
export const serverInvite: Table<ServerInviteState, ServerInput, ServerAction> = {
  proceeding: {
    request: step("proceeding", "resendResponse"),
    "1xx": step("proceeding", "sendResponse"),
    "2xx": step("accepted", "sendResponse", "startL"),
    "300-699": step("completed", "sendResponse", "startG", "startH"),
    transportError: step("terminated"),
  },
  completed: {
    request: step("completed", "resendResponse"),
    timerG: step("completed", "resendResponse", "startG"),
    timerH: step("terminated", "informNoAck"),
    ack: step("confirmed", "stopRetransmission", "stopTimeout", "startI"),
    transportError: step("terminated"),
  },
  confirmed: {
    timerI: step("terminated"),
  },
  accepted: {
    request: step("accepted", "resendResponse"),
    "2xx": step("accepted", "sendResponse"),
    ack: step("accepted", "passAckUp"),
    timerL: step("terminated"),
  },
  terminated: {},
};
