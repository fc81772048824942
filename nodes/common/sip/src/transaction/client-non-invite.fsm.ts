import type { ClientAction, ClientInput } from "./client-invite.fsm.ts";
import { step, type Table } from "./fsm.ts";

export type ClientNonInviteState = "trying" | "proceeding" | "completed" | "terminated";

/** Non-INVITE client transaction: RFC 3261 §17.1.2, figure 6. Entered in "trying" with sendRequest, startE (UDP), startF. */
export const clientNonInvite: Table<ClientNonInviteState, ClientInput, ClientAction> = {
  trying: {
    timerE: step("trying", "sendRequest", "startE"),
    timerF: step("terminated", "informTimeout"),
    transportError: step("terminated", "informTransportError"),
    "1xx": step("proceeding", "passUp"),
    "2xx": step("completed", "stopRetransmission", "stopTimeout", "passUp", "startK"),
    "300-699": step("completed", "stopRetransmission", "stopTimeout", "passUp", "startK"),
  },
  proceeding: {
    timerE: step("proceeding", "sendRequest", "startEAtT2"),
    timerF: step("terminated", "informTimeout"),
    transportError: step("terminated", "informTransportError"),
    "1xx": step("proceeding", "passUp"),
    "2xx": step("completed", "stopRetransmission", "stopTimeout", "passUp", "startK"),
    "300-699": step("completed", "stopRetransmission", "stopTimeout", "passUp", "startK"),
  },
  completed: {
    timerK: step("terminated"),
  },
  terminated: {},
};
