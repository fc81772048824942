/** P-Charging-Vector: RFC 7315 §5.6. */
export type PChargingVector = {
  readonly icid: string;
  readonly icidGeneratedAt?: string | undefined;
  readonly origIoi?: string | undefined;
  readonly termIoi?: string | undefined;
  /** Every other parameter as it stood, such as `related-icid=x` or access network charging information. */
  readonly others?: readonly string[] | undefined;
};

const PARAMETER = /\s*([^\s=;]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*)\s*)?(?:;|$)/y;

/** Reads a header value. Undefined when it is malformed or has no icid-value. Linear in its length. */
export function parsePChargingVector(value: string): PChargingVector | undefined {
  if (value.length > 4096) return undefined;
  const known = new Map<string, string>();
  const others: string[] = [];
  for (PARAMETER.lastIndex = 0; PARAMETER.lastIndex < value.length; ) {
    const match = PARAMETER.exec(value);
    if (match === null) return undefined;
    const name = (match[1] ?? "").toLowerCase();
    const text = match[2];
    if (KNOWN.has(name)) known.set(name, unquote(text ?? ""));
    else others.push(text === undefined ? name : `${name}=${text}`);
  }
  const icid = known.get("icid-value");
  if (icid === undefined || icid === "") return undefined;
  return {
    icid,
    icidGeneratedAt: known.get("icid-generated-at"),
    origIoi: known.get("orig-ioi"),
    termIoi: known.get("term-ioi"),
    others,
  };
}

const KNOWN: ReadonlySet<string> = new Set(["icid-value", "icid-generated-at", "orig-ioi", "term-ioi"]);

/** The header value; values that are not tokens are quoted. */
export function buildPChargingVector(vector: PChargingVector): string {
  let text = `icid-value=${quoteIfNeeded(vector.icid)}`;
  if (vector.icidGeneratedAt !== undefined) text += `;icid-generated-at=${vector.icidGeneratedAt}`;
  if (vector.origIoi !== undefined) text += `;orig-ioi=${quoteIfNeeded(vector.origIoi)}`;
  if (vector.termIoi !== undefined) text += `;term-ioi=${quoteIfNeeded(vector.termIoi)}`;
  for (const other of vector.others ?? []) text += `;${other}`;
  return text;
}

function unquote(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/g, "$1") : text;
}

function quoteIfNeeded(text: string): string {
  if (/^[A-Za-z0-9\-.!%*_+`'~]+$/.test(text)) return text;
  return `"${text.replace(/[\r\n]/g, "").replace(/["\\]/g, "\\$&")}"`;
}
