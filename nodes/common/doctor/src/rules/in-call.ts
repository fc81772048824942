import { isPrivateAddress, splitHostPort } from "../case/addresses.ts";
import { type CaseFile, fieldOf, type SipEvent } from "../case/case-file.ts";
import { evidence, type Rule } from "../case/finding.ts";

/** The 200 is sent again after 0.5 and 1.5 s (RFC 3261 §13.3.1.4). */
const COPIES_OF_200 = 3;

/** What ends a call that was set up, or disturbs it. */
export const inCallRules: readonly Rule[] = [
  {
    id: "dialog-of-another-flow",
    find(file) {
      const step = file
        .decisions("answer")
        .find((one) => fieldOf(one, "reason") === "Forbidden (not your dialog)");
      if (step === undefined) return undefined;
      const request = insideDialog(file).findLast((event) => event.step.time <= step.time);
      const { step: made } = file.received("INVITE")[0] ?? {};
      return {
        said: `${request?.message.method ?? "A request"} came from ${request?.step.ends?.remote ?? "elsewhere"}; the call was made from ${made?.ends?.remote ?? "another flow"}.`,
        evidence: evidence(made, request?.step, step),
      };
    },
  },
  {
    id: "released-by-network",
    find(file) {
      const bye = [...file.sent("BYE"), ...file.received("BYE")].find(({ message }) =>
        message.lines("Reason").some((line) => /Deregistered by the network/.test(line)),
      );
      return bye && { said: "The P-CSCF has sent BYE to both sides.", evidence: evidence(bye.step) };
    },
  },
  {
    id: "session-timer-expired",
    find(file) {
      const bye = file
        .received("BYE")
        .find(({ message }) => message.lines("Reason").some((line) => /cause\s*=\s*408/i.test(line)));
      if (bye === undefined || file.final === undefined) return undefined;
      const interval = file.final.message.header("Session-Expires");
      const refreshes = insideDialog(file).filter(
        ({ message }) => message.method === "INVITE" || message.method === "UPDATE",
      );
      return {
        said: `${bye.step.ends?.remote ?? "One side"} has ended the call for want of a refresh${interval === undefined ? "" : ` (Session-Expires: ${interval})`}; ${refreshes.length === 0 ? "there was none" : `there were ${refreshes.length}`}.`,
        evidence: evidence(file.final.step, ...refreshes.map(({ step }) => step), bye.step),
      };
    },
  },
  {
    id: "dialog-unknown",
    find(file) {
      const refused = file.events.find(
        ({ step, message }) =>
          !message.isRequest &&
          message.status === 481 &&
          message.cseqMethod !== "CANCEL" &&
          step.direction === "in",
      );
      return (
        refused && {
          said: `${refused.step.ends?.remote ?? "One side"} has answered 481 to ${refused.message.cseqMethod}.`,
          evidence: evidence(file.final?.step, refused.step),
        }
      );
    },
  },
  {
    id: "ack-missing",
    find(file) {
      const copies = file.answered("INVITE").filter(({ message }) => message.status === 200);
      const acknowledged = file.received("ACK").length + file.sent("ACK").length > 0;
      if (copies.length < COPIES_OF_200 || acknowledged) return undefined;
      const reached = file.answers("INVITE").some(({ message }) => message.status === 200);
      return {
        said: `${copies.length} times the called UE has sent 200 (OK), which ${reached ? "went on to the caller" : "did not go on to the caller"}; there was no ACK.`,
        evidence: evidence(...copies.map(({ step }) => step), file.final?.step),
      };
    },
  },
  {
    id: "media-behind-nat",
    find(file) {
      const offers = [...file.received("INVITE"), ...file.answered("INVITE")];
      for (const { step, message } of offers) {
        const address = mediaAddressIn(message.body);
        const source = splitHostPort(step.ends?.remote ?? "").host;
        if (address === undefined || address === source || !isPrivateAddress(address)) continue;
        if (/^a=candidate:/m.test(message.body)) continue;
        return {
          said: `It wants its media at ${address}; its signalling comes from ${source}.`,
          evidence: evidence(step),
        };
      }
      return undefined;
    },
  },
];

function insideDialog(file: CaseFile): readonly SipEvent[] {
  return file.received().filter(({ message }) => message.toTag !== "" && message.method !== "ACK");
}

/** RFC 4566 §5.7: the first c= line. */
function mediaAddressIn(body: string): string | undefined {
  return /^c=IN IP[46] ([^\s/]+)/m.exec(body)?.[1];
}
