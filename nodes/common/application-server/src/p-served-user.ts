import { canonicalImpu, SessionCase } from "@ims/ims";
import { parseNameAddr, type SipMessage } from "@ims/sip";

/** P-Served-User: RFC 5502, RFC 8498. Undefined parts were not said. */
export interface PServedUser {
  /** Canonical. */
  readonly impu: string;
  readonly sessionCase: "orig" | "term" | "orig-cdiv" | undefined;
  readonly registered: boolean | undefined;
}

/** The served user that a node of the trust domain names; undefined when there is none or it is malformed. */
export function parsePServedUser(request: SipMessage): PServedUser | undefined {
  const value = request.header("P-Served-User");
  const address = value === undefined ? undefined : parseNameAddr(value);
  const impu = address === undefined ? undefined : canonicalImpu(address.uriText);
  if (address === undefined || impu === undefined) return undefined;
  const { parameters } = address;
  const said = parameters.get("sescase")?.toLowerCase();
  const regstate = parameters.get("regstate")?.toLowerCase();
  return {
    impu,
    sessionCase: parameters.has("orig-cdiv")
      ? "orig-cdiv"
      : said === "orig" || said === "term"
        ? said
        : undefined,
    registered: regstate === "reg" ? true : regstate === "unreg" ? false : undefined,
  };
}

const PARAMETERS: Readonly<Record<SessionCase, string>> = {
  [SessionCase.ORIGINATING_REGISTERED]: ";sescase=orig;regstate=reg",
  [SessionCase.TERMINATING_REGISTERED]: ";sescase=term;regstate=reg",
  [SessionCase.TERMINATING_UNREGISTERED]: ";sescase=term;regstate=unreg",
  [SessionCase.ORIGINATING_UNREGISTERED]: ";sescase=orig;regstate=unreg",
  [SessionCase.ORIGINATING_CDIV]: ";orig-cdiv",
};

/** The header value on ISC: TS 24.229 §5.4.3.2 step 4 and §5.4.3.3 step 3. */
export function pServedUser(impu: string, sessionCase: SessionCase): string {
  return `<${impu}>${PARAMETERS[sessionCase]}`;
}
