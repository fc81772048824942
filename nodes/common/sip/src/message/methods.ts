/** Methods with a name of their own in the IMS; any other token is a method too (RFC 3261 §7.1). */
export const SIP_METHODS = [
  "INVITE",
  "ACK",
  "BYE",
  "CANCEL",
  "REGISTER",
  "OPTIONS",
  "SUBSCRIBE",
  "NOTIFY",
  "PUBLISH",
  "MESSAGE",
  "REFER",
  "INFO",
  "PRACK",
  "UPDATE",
] as const;
export type SipMethod = (typeof SIP_METHODS)[number];
