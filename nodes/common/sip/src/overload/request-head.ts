import { HeaderIds, headerIdAt } from "../message/header-names.ts";

/** What a refusal, and the decision about one, need of a request: cut out of its text, nothing parsed. */
export interface RequestHead {
  readonly method: string;
  readonly requestUri: string;
  /** Value of the first Via line, all its values. */
  readonly via: string;
  /** From, Call-ID, CSeq and the further Via lines as they came, each with its line end. */
  readonly echoed: string;
  readonly to: string;
  /** "" when absent; of several lines the first. */
  readonly authorization: string;
  readonly contact: string;
  readonly route: string;
  readonly resourcePriority: string;
}

const CR = 0x0d;
/** More lines than any real request has; the parser gives up there too. */
const MAX_LINES = 256;

/** Undefined for whatever is not plainly a request that can be answered: the parser has the say about that. */
export function requestHead(text: string): RequestHead | undefined {
  const methodEnd = text.indexOf(" ");
  let end = text.indexOf("\r\n");
  const uriEnd = text.lastIndexOf(" ", end);
  if (methodEnd <= 0 || uriEnd <= methodEnd) return undefined;
  let [via, echoed, to, authorization, contact, route, resourcePriority] = ["", "", "", "", "", "", ""];
  let single = 0;
  let at = end + 2;
  for (let lines = 0; text.charCodeAt(at) !== CR; lines++) {
    end = endOfLine(text, at);
    const colon = text.indexOf(":", at);
    if (end < 0 || colon < 0 || colon > end || lines === MAX_LINES) return undefined;
    let nameEnd = colon;
    while (nameEnd > at && text.charCodeAt(nameEnd - 1) <= 0x20) nameEnd--;
    switch (headerIdAt(text, at, nameEnd)) {
      case HeaderIds.Via:
        if (via === "") via = text.slice(colon + 1, end).trim();
        else echoed += text.slice(at, end + 2);
        break;
      case HeaderIds.From:
      case HeaderIds["Call-ID"]:
      case HeaderIds.CSeq:
        single++;
        echoed += text.slice(at, end + 2);
        break;
      case HeaderIds.To:
        single++;
        to = text.slice(colon + 1, end).trim();
        break;
      case HeaderIds.Authorization:
        if (authorization === "") authorization = text.slice(colon + 1, end);
        break;
      case HeaderIds.Contact:
        if (contact === "") contact = text.slice(colon + 1, end);
        break;
      case HeaderIds.Route:
        if (route === "") route = text.slice(colon + 1, end);
        break;
      case HeaderIds["Resource-Priority"]:
        if (resourcePriority === "") resourcePriority = text.slice(colon + 1, end).trim();
        break;
    }
    at = end + 2;
  }
  if (via === "" || to === "" || single !== 4) return undefined;
  return {
    method: text.slice(0, methodEnd),
    requestUri: text.slice(methodEnd + 1, uriEnd),
    via,
    echoed,
    to,
    authorization,
    contact,
    route,
    resourcePriority,
  };
}

/** Where the line ends, folded lines included; -1 when a CR or LF stands alone: it could mean a line to somebody else. */
function endOfLine(text: string, start: number): number {
  let at = start;
  for (;;) {
    const end = text.indexOf("\r", at);
    const next = text.charCodeAt(end + 2);
    if (end < 0 || text.charCodeAt(end + 1) !== 0x0a) return -1;
    if (next === 0x20 || next === 0x09) at = end + 2;
    else return holdsLineFeed(text, start, end) ? -1 : end;
  }
}

function holdsLineFeed(text: string, start: number, end: number): boolean {
  for (let at = text.indexOf("\n", start); at >= 0 && at < end; at = text.indexOf("\n", at + 1))
    if (text.charCodeAt(at - 1) !== CR) return true;
  return false;
}
