import { parameterAt } from "../message/parameters.ts";

/** What a client says in the Via it adds: overload control is understood, algorithm "loss" (RFC 7339 §4.1, §4.2). */
export const OFFER = ';oc;oc-algo="loss"';

/** What stands in the Via of a response whose server takes everything (RFC 7339 §4.2). */
export const NO_REDUCTION = ";oc=0;";

/** RFC 7339 §4.3: validity of a value that comes without one, ms. */
const DEFAULT_VALIDITY_MS = 500;
/** Nobody may stop a client for longer, ms. */
const LONGEST_VALIDITY_MS = 60_000;

/** The overload control parameters of a response: RFC 7339 §4. */
export interface LossReport {
  /** Percentage of the requests that the client is to keep back. */
  readonly percent: number;
  /** ms; 0: no overload control. */
  readonly validityMs: number;
  /** Sequence number, integer and fraction apart: together they have more digits than a number holds. */
  readonly seq: readonly [number, number];
}

/** Reads a Via value of a response; undefined when it says nothing of overload, or not in a way that can be used. */
export function lossReport(via: string): LossReport | undefined {
  if (!via.includes(";oc=")) return undefined;
  const percent = digits(parameterAt(via, "oc", 0), 3);
  if (percent === undefined || percent > 100) return undefined;
  if ((parameterAt(via, "oc-algo", 0) ?? '"loss"').replaceAll('"', "").toLowerCase() !== "loss")
    return undefined;
  const [whole = "", fraction = ""] = (parameterAt(via, "oc-seq", 0) ?? "").split(".");
  const seq = [digits(whole, 12), digits(fraction.padEnd(5, "0"), 5)] as const;
  if (seq[0] === undefined || seq[1] === undefined) return undefined;
  const validity = parameterAt(via, "oc-validity", 0);
  const validityMs = validity === undefined ? DEFAULT_VALIDITY_MS : digits(validity, 9);
  if (validityMs === undefined) return undefined;
  return { percent, validityMs: Math.min(validityMs, LONGEST_VALIDITY_MS), seq: [seq[0], seq[1]] };
}

/** Does the client that wrote this Via value understand overload control, and our algorithm (RFC 7339 §5.1)? */
export function offersLoss(via: string): boolean {
  if (via.includes(OFFER)) return true;
  if (parameterAt(via, "oc", 0) !== "") return false;
  const algorithms = (parameterAt(via, "oc-algo", 0) ?? "").replaceAll('"', "").split(",");
  return algorithms.some((name) => name.trim().toLowerCase() === "loss");
}

/** A Via value with the server's report in place of the client's offer (RFC 7339 §5.2). `report`: text of reportText. */
export function withReport(via: string, report: string): string {
  const at = via.indexOf(OFFER);
  if (at >= 0) return `${via.slice(0, at)}${report}${via.slice(at + OFFER.length)}`;
  return `${withoutOverloadControl(via)}${report}`;
}

export function reportText(percent: number, validityMs: number, seq: string): string {
  return `;oc=${percent};oc-algo="loss";oc-validity=${validityMs};oc-seq=${seq}`;
}

/** A Via value without any parameter of RFC 7339. */
export function withoutOverloadControl(via: string): string {
  if (!via.includes("oc")) return via;
  return via.replace(/;\s*oc(?:-algo|-validity|-seq)?\s*(?:=\s*(?:"[^"]*"|[^;,"]*))?(?=;|,|$)/gi, "");
}

function digits(text: string | undefined, longest: number): number | undefined {
  if (text === undefined || text.length > longest || !/^[0-9]+$/.test(text)) return undefined;
  return Number(text);
}
