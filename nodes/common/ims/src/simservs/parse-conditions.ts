import { canonicalImpu } from "../identity/impu.ts";
import { attributeOf, childrenNamed, type XmlElement } from "../xml/xml-element.ts";
import { SimservsRefused } from "./refused.ts";
import {
  COMMON_POLICY_NAMESPACE,
  type Condition,
  type Many,
  type Period,
  SIMPLE_CONDITIONS,
  SIMSERVS_NAMESPACE,
  type SimpleCondition,
} from "./simservs.ts";

/** Enough for any list a person keeps; each identity is looked at for each call. */
const MAX_IDENTITIES = 500;
/** RFC 3339, as xs:dateTime writes it. */
const DATE_TIME = /^-?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?$/;

const SIMPLE: ReadonlySet<string> = new Set(SIMPLE_CONDITIONS);

/** Conditions of a rule: RFC 4745 §7, TS 24.604 §4.9, TS 24.611 §4.9. Throws SimservsRefused. */
export function conditionsOf(element: XmlElement | undefined): readonly Condition[] {
  return element === undefined ? [] : element.children.map(conditionOf);
}

function conditionOf(element: XmlElement): Condition {
  const { local, namespace } = element;
  if (namespace === COMMON_POLICY_NAMESPACE) {
    if (local === "identity") return identityOf(element);
    if (local === "validity") return { kind: "validity", periods: periodsOf(element) };
    if (local === "sphere") return { kind: "unknown", name: local };
    throw new SimservsRefused(element, "common policy has no such condition");
  }
  if (namespace === SIMSERVS_NAMESPACE && local === "media") {
    const media = element.text.trim().toLowerCase();
    if (!/^[a-z0-9!#$%&'*+.^_`{|}~-]{1,64}$/.test(media))
      throw new SimservsRefused(element, "write a media type such as audio or video");
    return { kind: "media", media };
  }
  // OMA's name space has other-identity too, and 3GPP took it over.
  const isKnown = namespace === SIMSERVS_NAMESPACE || local === "other-identity";
  if (!isKnown || !SIMPLE.has(local)) return { kind: "unknown", name: local };
  return { kind: local as SimpleCondition };
}

function identityOf(element: XmlElement): Condition {
  const one = childrenNamed(element, COMMON_POLICY_NAMESPACE, "one").map((each) => canonicalId(each));
  const many = childrenNamed(element, COMMON_POLICY_NAMESPACE, "many").map(manyOf);
  const named = many.reduce((sum, { exceptIds }) => sum + exceptIds.length, one.length);
  if (named > MAX_IDENTITIES)
    throw new SimservsRefused(element, `more than ${MAX_IDENTITIES} identities`, "constraint-failure");
  const other = element.children.find(
    ({ namespace, local }) => namespace === COMMON_POLICY_NAMESPACE && local !== "one" && local !== "many",
  );
  if (other !== undefined) throw new SimservsRefused(other, "only one and many may stand here");
  return { kind: "identity", one, many };
}

function manyOf(element: XmlElement): Many {
  const exceptIds: string[] = [];
  const exceptDomains: string[] = [];
  for (const except of childrenNamed(element, COMMON_POLICY_NAMESPACE, "except")) {
    const domain = attributeOf(except, "domain");
    if (domain !== undefined) exceptDomains.push(domain.toLowerCase());
    else exceptIds.push(canonicalId(except));
  }
  return { domain: attributeOf(element, "domain")?.toLowerCase(), exceptIds, exceptDomains };
}

function canonicalId(element: XmlElement): string {
  const id = attributeOf(element, "id") ?? "";
  const canonical = canonicalImpu(id.trim());
  if (canonical === undefined)
    throw new SimservsRefused(element, `id="${id.slice(0, 80)}" is no SIP URI and no global tel URI`);
  return canonical;
}

/** RFC 4745 §7.3: from and until in turn. */
function periodsOf(element: XmlElement): readonly Period[] {
  const periods: Period[] = [];
  let from: number | undefined;
  for (const each of element.children) {
    if (each.namespace !== COMMON_POLICY_NAMESPACE || (each.local !== "from" && each.local !== "until"))
      throw new SimservsRefused(each, "only from and until may stand here");
    const at = timeOf(each);
    if (each.local === "from" && from === undefined) from = at;
    else if (each.local === "until" && from !== undefined) {
      periods.push({ from, until: at });
      from = undefined;
    } else throw new SimservsRefused(each, "from and until have to come in turn");
  }
  if (from !== undefined || periods.length === 0)
    throw new SimservsRefused(element, "from and until have to come in turn");
  return periods;
}

function timeOf(element: XmlElement): number {
  const text = element.text.trim();
  // Without a zone the operator's clock is not meant: RFC 4745 wants one, and UTC is what remains.
  const at = DATE_TIME.test(text)
    ? Date.parse(/(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`)
    : Number.NaN;
  if (Number.isNaN(at)) throw new SimservsRefused(element, `"${text.slice(0, 40)}" is no date and time`);
  return at;
}
