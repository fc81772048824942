/** Charging collection and event charging functions, Diameter URIs, preferred ones first. */
export interface ChargingFunctionAddresses {
  readonly ccf: readonly string[];
  readonly ecf: readonly string[];
}

const MAX_ADDRESSES = 8;

/** P-Charging-Function-Addresses (RFC 7315 §5.5). What is neither ccf nor ecf is passed over. */
export function parseChargingFunctionAddresses(value: string): ChargingFunctionAddresses {
  const found: { ccf: string[]; ecf: string[] } = { ccf: [], ecf: [] };
  for (const [, name = "", quoted, plain = ""] of value
    .slice(0, 4096)
    .matchAll(/(?:^|[;,])\s*(ccf|ecf)\s*=\s*(?:"([^"]*)"|([^\s;,]*))/gi)) {
    const list = name.toLowerCase() === "ccf" ? found.ccf : found.ecf;
    const address = quoted ?? plain;
    if (address !== "" && list.length < MAX_ADDRESSES) list.push(address);
  }
  return found;
}
