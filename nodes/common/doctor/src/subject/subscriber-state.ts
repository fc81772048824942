import type { Registrations } from "@ims/api";
import { parseNameAddr } from "@ims/sip";
import { CaseFile } from "../case/case-file.ts";
import { evidence } from "../case/finding.ts";
import { type Diagnosis, diagnosisOf } from "../diagnose.ts";
import type { NodeStep } from "../trail/ask-node.ts";
import type { Exchange } from "../trail/exchange.ts";

/** What is known of one subscriber beside his registrations and calls. */
export interface SubscriberState {
  /** What the S-CSCF keeps of him now; undefined: it could not be asked. */
  readonly registrations: Registrations["registrations"] | undefined;
  /** What the HSS has sent of itself (RTR, PPR). */
  readonly pushed: readonly NodeStep[];
  /** ms since the epoch. */
  readonly now: number;
}

/** Whether he was registered and is not any more, and why. Pure. `exchanges` in order of time. */
export function diagnoseSubscriber(
  exchanges: readonly Exchange[],
  { registrations, pushed, now }: SubscriberState,
): readonly Diagnosis[] {
  const last = exchanges
    .map((exchange) => new CaseFile(exchange))
    .findLast(({ kind, final }) => kind === "registration" && final?.message.status === 200);
  const granted = last === undefined ? 0 : secondsGranted(last);
  const final = last?.final;
  if (granted === 0 || final === undefined) return [];
  if (registrations?.some(({ bindings }) => bindings.length > 0)) return [];
  const ended = pushed.find(({ title, time }) => title.startsWith("RTR") && time > final.step.time);
  const when = new Date(ended?.time ?? final.step.time + granted * 1000).toISOString();
  if (ended !== undefined)
    return [
      diagnosisOf("deregistered-by-network", {
        said: `The HSS has ended the registration at ${when}.`,
        evidence: evidence(final.step, ended),
      }),
    ];
  if (now < final.step.time + granted * 1000) return [];
  return [
    diagnosisOf("registration-expired", {
      said: `It was granted for ${granted} s and ended at ${when} without a refresh.`,
      evidence: evidence(final.step),
      likely: registrations === undefined,
    }),
  ];
}

/** The longest of the contacts in the 200; 0: there are none. */
function secondsGranted({ final }: CaseFile): number {
  const message = final?.message;
  if (message === undefined) return 0;
  const general = Number(message.header("Expires") ?? Number.NaN);
  let longest = 0;
  for (const contact of message.values("Contact")) {
    const own = Number(parseNameAddr(contact)?.parameters.get("expires") ?? Number.NaN);
    const seconds = Number.isNaN(own) ? general : own;
    if (seconds > longest) longest = seconds;
  }
  return longest;
}
