import { step, type Table } from "./fsm.ts";
import type { ServerAction, ServerInput } from "./server-invite.fsm.ts";

export type ServerNonInviteState = "trying" | "proceeding" | "completed" | "terminated";

/** Non-INVITE server transaction: RFC 3261 §17.2.2, figure 8. Over unreliable transports AnsweredRequests are what is left in "completed". */
export const serverNonInvite: Table<ServerNonInviteState, ServerInput, ServerAction> = {
  trying: {
    "1xx": step("proceeding", "sendResponse"),
    "2xx": step("completed", "sendResponse", "startJ"),
    "300-699": step("completed", "sendResponse", "startJ"),
  },
  proceeding: {
    request: step("proceeding", "resendResponse"),
    "1xx": step("proceeding", "sendResponse"),
    "2xx": step("completed", "sendResponse", "startJ"),
    "300-699": step("completed", "sendResponse", "startJ"),
    transportError: step("terminated"),
  },
  completed: {
    request: step("completed", "resendResponse"),
    timerJ: step("terminated"),
    transportError: step("terminated"),
  },
  terminated: {},
};
