import { X509Certificate } from "node:crypto";
import type { Clock } from "../clock.ts";
import { runtimeProblems } from "../problems.ts";
import type { AlarmList, Trouble } from "./alarm-list.ts";

const DAY_MS = 86_400_000;
const WARNING_DAYS = 30;
const MAJOR_DAYS = 7;

/**
 * Alarm for a certificate in use (PEM, the node's own first) that is about to expire. `file`: what an operator calls it; `pem`: a
 * function where it is renewed.
 */
export function watchCertificate(
  { file, pem }: { readonly file: string; readonly pem: string | (() => string) },
  { alarms, clock }: { readonly alarms: AlarmList; readonly clock: Clock },
): () => void {
  let read = "";
  let until: number | undefined;
  return alarms.watch(runtimeProblems.certificateExpiring, () => {
    const now = typeof pem === "string" ? pem : pem();
    if (now !== read) {
      read = now;
      until = validUntil(now);
    }
    return until === undefined ? undefined : troubleOf(file, until, clock.now());
  });
}

function troubleOf(object: string, until: number, now: number): Trouble | undefined {
  const days = (until - now) / DAY_MS;
  if (days >= WARNING_DAYS) return undefined;
  const date = new Date(until).toISOString();
  if (days <= 0) return { object, severity: "CRITICAL", text: `expired at ${date}` };
  const severity = days < MAJOR_DAYS ? "MAJOR" : "WARNING";
  return { object, severity, text: `expires at ${date}, in ${Math.floor(days)} days` };
}

/** Epoch ms; undefined for what is no certificate: TLS says so itself. */
function validUntil(pem: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    return undefined;
  }
}
