const STATUS = new Map([
  [400, "The network did not understand the call."],
  [403, "The network does not allow this call."],
  [404, "There is no such number."],
  [408, "There was no answer."],
  [410, "That number is no longer in use."],
  [415, "The other phone cannot take this kind of call."],
  [420, "The other phone asks for something that a phone in a browser does not have."],
  [421, "The other phone asks for something that a phone in a browser does not have."],
  [480, "They cannot be reached now."],
  [481, "The call is not there any more."],
  [482, "The call went round in circles: a forwarding may point back."],
  [484, "The number is not complete."],
  [486, "They are busy."],
  [487, "The call was given up."],
  [
    488,
    "The two phones have no way of sound or encryption in common. A phone outside of browsers is reached through a media gateway.",
  ],
  [500, "Something in the network went wrong."],
  [503, "The network cannot serve the call now; try again."],
  [504, "A part of the network does not answer; try again."],
  [580, "The other side could not reserve what the call needs."],
  [600, "They are busy."],
  [603, "They do not take the call."],
  [604, "There is no such number."],
  [606, "The two phones have no way of sound or encryption in common."],
]);

/** What a status means to who has called. */
export function statusWords(status) {
  return STATUS.get(status) ?? `The network has refused (${status}).`;
}

/** Why a call has ended; empty where nobody asks. */
export function endWords({ by, kind, status }) {
  if (kind === "status" && by === "network" && status === 503)
    return "There is no connection to the network.";
  switch (kind) {
    case "status":
      return statusWords(status);
    case "codec":
      return statusWords(488);
    case "elsewhere":
      return "Answered on another phone.";
    case "missed":
      return "Missed.";
    case "rejected":
      return "Rejected.";
    case "transferred":
      return "Transferred.";
    case "replaced":
      return "They have been connected with somebody else.";
    case "expired":
      return "The connection was lost.";
    case "unacknowledged":
      return "The connection was lost before it was made.";
    case "devices":
      return "There is no microphone to call with.";
    default:
      return by === "us" ? "Ended." : "They have hung up.";
  }
}

/** What went wrong: what getUserMedia throws, a refusal of the other side, or a sentence already. */
export function errorWords(error) {
  switch (error?.name) {
    case "NotAllowedError":
      return "The browser does not let this page use microphone or camera: allow it in the address bar.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "No microphone or camera was found: connect one, or choose another in the settings.";
    case "NotReadableError":
    case "AbortError":
      return "Another program has the microphone or the camera.";
    case "SecurityError":
      return "Browsers give microphone and camera to pages over HTTPS only (or on this very machine).";
    default:
      return error?.sipStatus === undefined ? String(error?.message ?? error) : statusWords(error.sipStatus);
  }
}

/** State of the registration in words. */
export function registrationWords(state, why) {
  switch (state) {
    case "registered":
      return "Ready: you can call and be called.";
    case "registering":
      return "Registering…";
    case "ended":
      return "Signed off.";
    case "connecting":
      return "Connecting…";
    case "waiting":
      return "No connection to the network; trying again…";
    default:
  }
  if (why?.kind === "password") return "The password is wrong.";
  if (why?.kind === "algorithm")
    return "The network asks for the password in a way that this phone does not know.";
  if (why?.kind === "forbidden")
    return "The network does not let this number in: it may be unknown, barred, or under another user name.";
  return `The network could not register the phone (${why?.response?.status ?? "no answer"}); trying again…`;
}
