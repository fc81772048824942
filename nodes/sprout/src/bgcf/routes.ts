import { parseUri, type Uri } from "@ims/sip";
import { z } from "zod";
import type { TableResult } from "../routing/followed-file.ts";
import { numberPortability } from "../routing/number-portability.ts";
import { PrefixTable } from "../routing/prefix-table.ts";
import {
  bareDigits,
  canonicalContext,
  type NumberingOptions,
  readTelephoneNumber,
  type TelephoneNumber,
} from "../routing/telephone-number.ts";

/** Route values, in their order: the first is the next hop. None: by the Request-URI itself. */
export type Route = readonly string[];

const prefix = z.string().regex(/^\+?[0-9A-Fa-f*#().-]*$/, "digits");

const entry = z.strictObject({
  name: z.string().optional(),
  description: z.string().optional(),
  /** A domain name, "*.example.org" for what is below one, "*" for all that no other route is for. */
  domain: z
    .string()
    .toLowerCase()
    .regex(/^(?:\*|(?:\*\.)?[a-z0-9._-]+|\[?[0-9a-f:.]+\]?)$/, "a domain name, *.domain or *")
    .optional(),
  /** What a number begins with, or where there is none of its own, a routing number. */
  number: prefix.optional(),
  routing_number: prefix.optional(),
  /** Of a routing number that is not global: its rn-context. */
  rn_context: z.string().min(1).optional(),
  /** Carrier: "+1-6789". */
  cic: z
    .string()
    .regex(/^\+[0-9A-Fa-f().-]+$/, "+ and digits")
    .optional(),
  route: z.array(z.string()),
});

/** File of --bgcf-file; the keys of Clearwater's bgcf.json mean the same. */
export const bgcfFile = z.strictObject({ routes: z.array(entry) });

/** Where the BGCF sends what leaves this network: TS 24.229 §5.6.2. */
export class BgcfRoutes {
  readonly domains = new Map<string, Route>();
  readonly numbers = new PrefixTable<Route>();
  /** By rn-context, "" for global ones. */
  readonly routingNumbers = new Map<string, PrefixTable<Route>>();
  readonly carriers = new Map<string, Route>();

  /** Undefined: nowhere. */
  find(uri: Uri, options: NumberingOptions): Route | undefined {
    const number = readTelephoneNumber(uri, options);
    const found = number === undefined ? this.#byDomain(uri.host) : this.#byNumber(number);
    return found ?? this.domains.get("*");
  }

  #byDomain(host: string): Route | undefined {
    const exact = this.domains.get(host);
    if (exact !== undefined) return exact;
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const below = this.domains.get(`*${host.slice(dot)}`);
      if (below !== undefined) return below;
    }
    return undefined;
  }

  /** RFC 4694 §5: the carrier first, then the routing number; who has one is not routed by his number any more. */
  #byNumber({ digits, parameters }: TelephoneNumber): Route | undefined {
    const { carrier, routingNumber } = numberPortability(parameters);
    const byCarrier = carrier === undefined ? undefined : this.carriers.get(carrier);
    if (byCarrier !== undefined) return byCarrier;
    if (routingNumber === undefined) return this.numbers.find(digits)?.value;
    const { context } = routingNumber;
    const own = this.routingNumbers.get(context)?.find(routingNumber.digits)?.value;
    return own ?? (context === "" ? this.numbers.find(routingNumber.digits)?.value : undefined);
  }
}

/** Checks what a schema cannot: what an entry is for, its URIs, and that nothing is there twice. */
export function makeBgcfRoutes({ routes }: z.output<typeof bgcfFile>): TableResult<BgcfRoutes> {
  const table = new BgcfRoutes();
  for (const [index, one] of routes.entries()) {
    const problem = add(table, one);
    if (problem !== undefined) return { kind: "bad", problem: `routes.${index}${problem}` };
  }
  return { kind: "table", table };
}

function add(table: BgcfRoutes, one: z.output<typeof entry>): string | undefined {
  const { domain, number, routing_number, rn_context, cic } = one;
  const keys = [domain, number, routing_number, cic].filter((key) => key !== undefined);
  if (keys.length !== 1) return ": write one of domain, number, routing_number and cic";
  if (rn_context !== undefined && (routing_number === undefined || routing_number.startsWith("+")))
    return ".rn_context: only for a routing_number without +";
  if (routing_number !== undefined && !routing_number.startsWith("+") && rn_context === undefined)
    return ".routing_number: begins with +, or has an rn_context";
  if (one.route.length === 0 && domain === undefined) return ".route: a number needs one";
  const route: string[] = [];
  for (const [at, text] of one.route.entries()) {
    const value = routeValue(text);
    if (value === undefined) return `.route.${at}: "${text}" is no SIP URI`;
    route.push(value);
  }
  const twice = `: "${keys[0]}" is there already`;
  if (domain !== undefined)
    return put(table.domains, domain.replace(/^\[|\]$/g, ""), route) ? undefined : twice;
  if (cic !== undefined) return put(table.carriers, bareDigits(cic), route) ? undefined : twice;
  if (number !== undefined) return table.numbers.add(bareDigits(number), route) ? undefined : twice;
  const context = rn_context === undefined ? "" : canonicalContext(rn_context);
  const numbers = table.routingNumbers.get(context) ?? new PrefixTable<Route>();
  table.routingNumbers.set(context, numbers);
  return numbers.add(bareDigits(routing_number ?? ""), route) ? undefined : twice;
}

function put(map: Map<string, Route>, key: string, route: Route): boolean {
  if (map.has(key)) return false;
  map.set(key, route);
  return true;
}

/** A Route value of a URI with or without brackets; loose routing is what is meant (RFC 3261 §16.12). */
function routeValue(text: string): string | undefined {
  const bare = /^<(.*)>$/.exec(text.trim())?.[1] ?? text.trim();
  const uri = parseUri(bare);
  if (uri === undefined || (uri.scheme !== "sip" && uri.scheme !== "sips") || uri.headers !== "")
    return undefined;
  return uri.parameters.has("lr") ? `<${bare}>` : `<${bare};lr>`;
}
