import { type CallFragment, MAX_CALL_NAME, MAX_CALL_URI } from "@ims/api";
import type { ServedUser } from "@ims/application-server";
import { decodeUtf8 } from "@ims/ims";
import { parseNameAddr, type SipMessage } from "@ims/sip";

export type Parties = Pick<Extract<CallFragment, { kind: "rejected" }>, "outgoing" | "to" | "from">;

/**
 * Who calls whom, as the list of the served user shows it: what he dialled and who he is to the network; or who calls, as that
 * is to be seen, and which of his identities was called.
 */
export function partiesOf(request: SipMessage, { sessionCase, impu }: ServedUser): Parties {
  if (sessionCase === "orig")
    return {
      outgoing: true,
      to: partyOf(request.header("To"), request.requestUri),
      from: partyOf(request.top("P-Asserted-Identity"), impu),
    };
  return {
    outgoing: false,
    to: { uri: cut(request.requestUri, MAX_CALL_URI), name: "" },
    from: partyOf(request.header("From"), "sip:anonymous@anonymous.invalid"),
  };
}

function partyOf(value: string | undefined, otherwise: string): Parties["to"] {
  const address = value === undefined ? undefined : parseNameAddr(value);
  if (address === undefined) return { uri: cut(otherwise, MAX_CALL_URI), name: "" };
  return { uri: cut(address.uriText, MAX_CALL_URI), name: cut(shown(address.displayName), MAX_CALL_NAME) };
}

/** RFC 3261 §7.3.1: UTF-8, of which a message holds the octets. */
function shown(name: string): string {
  return (decodeUtf8(Buffer.from(name, "latin1")) ?? name).replace(/\p{Cc}/gu, "");
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).toWellFormed();
}
