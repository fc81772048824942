import type { InitialFilterCriteria } from "../ifc/initial-filter-criteria.ts";
import { parseInitialFilterCriteria } from "./parse-ifc.ts";
import { integer, text } from "./values.ts";
import { child, childrenOf, type Element, readXml, XmlRefused } from "./xml.ts";

/** An operator's file; the profiles of subscribers are smaller. */
const MAX_LENGTH = 4 * 1024 * 1024;

export type IfcSetsResult<T> =
  | { readonly kind: "parsed"; readonly sets: T }
  /** Says which element of the file, and what is wrong with it. */
  | { readonly kind: "malformed"; readonly reason: string };

/**
 * Reads the filter criteria that profiles name by SharedIFCSetID (TS 29.228 §B.2.1): SharedIFCsSets, in it SharedIFCsSet with a
 * SetID and InitialFilterCriteria. Each list is in order of priority.
 */
export function parseSharedIfcSets(
  xml: string,
): IfcSetsResult<ReadonlyMap<number, readonly InitialFilterCriteria[]>> {
  return reading(() => {
    const root = rootOf(xml, "SharedIFCsSets");
    const sets = new Map<number, readonly InitialFilterCriteria[]>();
    for (const [index, set] of childrenOf(root, "SharedIFCsSet").entries()) {
      const id = at(`SharedIFCsSet ${index + 1}`, () => integer(text(set, "SetID"), "SetID"));
      if (sets.has(id))
        throw new XmlRefused("BAD_VALUE", `SharedIFCsSet ${index + 1}: SetID ${id} is there twice`);
      sets.set(id, criteriaOf(set, `set ${id}, `));
    }
    return sets;
  });
}

export interface FilterCriteriaSetOptions {
  /** Criteria without a Priority, which the schema asks for, come in the order they are written. Default: they are refused. */
  readonly mayLackPriority?: boolean;
}

/** Reads a list of InitialFilterCriteria under any root element, or a single one. In order of priority. */
export function parseFilterCriteriaSet(
  xml: string,
  { mayLackPriority = false }: FilterCriteriaSetOptions = {},
): IfcSetsResult<readonly InitialFilterCriteria[]> {
  return reading(() => {
    const root = readXml(xml, MAX_LENGTH);
    if (root.name === "InitialFilterCriteria")
      return [at(root.name, () => parseInitialFilterCriteria(root, mayLackPriority ? 0 : undefined))];
    const list = criteriaOf(root, "", mayLackPriority);
    const other = root.children.find(({ name }) => name !== "InitialFilterCriteria");
    if (other !== undefined)
      throw new XmlRefused("BAD_VALUE", `${other.name.slice(0, 80)} is not expected here`);
    return list;
  });
}

/** The InitialFilterCriteria under an element, in order of priority; those without a Priority as they are written. Throws XmlRefused. */
export function parseFilterCriteriaUnder(element: Element): readonly InitialFilterCriteria[] {
  return criteriaOf(element, "", true);
}

function rootOf(xml: string, name: string): Element {
  const root = readXml(xml, MAX_LENGTH);
  if (root.name !== name)
    throw new XmlRefused("BAD_VALUE", `the root element is ${root.name.slice(0, 80)}, not ${name}`);
  if (child(root, "SharedIFCsSet") === undefined && root.children.length > 0)
    throw new XmlRefused("MISSING_ELEMENT", "SharedIFCsSet");
  return root;
}

function criteriaOf(
  element: Element,
  where: string,
  mayLackPriority = false,
): readonly InitialFilterCriteria[] {
  const elements = childrenOf(element, "InitialFilterCriteria");
  const said = new Set(elements.map((each) => child(each, "Priority")?.text));
  let free = 0;
  const list = elements.map((each, index) => {
    const lacks = mayLackPriority && child(each, "Priority") === undefined;
    while (lacks && said.has(String(free))) free++;
    return at(`${where}InitialFilterCriteria ${index + 1}`, () =>
      parseInitialFilterCriteria(each, lacks ? free++ : undefined),
    );
  });
  return list.sort((one, other) => one.priority - other.priority);
}

function at<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof XmlRefused)) throw error;
    throw new XmlRefused(error.code, `${where}: ${error.code} ${error.message}`, { cause: error });
  }
}

function reading<T>(read: () => T): IfcSetsResult<T> {
  try {
    return { kind: "parsed", sets: read() };
  } catch (error) {
    if (!(error instanceof XmlRefused)) throw error;
    return { kind: "malformed", reason: error.message };
  }
}
