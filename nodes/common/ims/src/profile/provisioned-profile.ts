import type { InitialFilterCriteria } from "../ifc/initial-filter-criteria.ts";
import { buildInitialFilterCriteria } from "./build-ifc.ts";
import { publicIdentityElement } from "./build-user-profile.ts";
import { leaf, wrap } from "./element.ts";
import { parseFilterCriteriaUnder } from "./parse-ifc-sets.ts";
import { publicIdentityOf } from "./parse-user-profile.ts";
import type { PublicIdentity } from "./user-profile.ts";
import { integer } from "./values.ts";
import { child, childrenOf, readXml, XmlRefused } from "./xml.ts";

/** Far more than the elements of one provisioning request hold. */
const MAX_LENGTH = 512 * 1024;

export type ProvisionedResult<T> =
  | { readonly kind: "parsed"; readonly value: T }
  /** Says which element, and what is wrong with it. */
  | { readonly kind: "malformed"; readonly reason: string };

/** The services in a ServiceProfile: TS 29.228 §B.2.1. */
export type ProfileServices = {
  /** In order of priority. */
  readonly initialFilterCriteria: readonly InitialFilterCriteria[];
  readonly sharedIfcSetIds: readonly number[];
};

/** Reads a document that is one PublicIdentity element of TS 29.228 annex E. */
export function parsePublicIdentity(xml: string): ProvisionedResult<PublicIdentity> {
  return reading(() => {
    const root = readXml(xml, MAX_LENGTH);
    if (root.name !== "PublicIdentity") throw unexpected(root.name, "PublicIdentity");
    return publicIdentityOf(root);
  });
}

/** Reads a document that is a ServiceProfile element with filter criteria, its own and those it names by SharedIFCSetID. */
export function parseProfileServices(xml: string): ProvisionedResult<ProfileServices> {
  return reading(() => {
    const root = readXml(xml, MAX_LENGTH);
    if (root.name !== "ServiceProfile") throw unexpected(root.name, "ServiceProfile");
    const known = new Set(["InitialFilterCriteria", "Extension"]);
    const other = root.children.find(({ name }) => !known.has(name));
    if (other !== undefined)
      throw new XmlRefused("BAD_VALUE", `${other.name.slice(0, 80)} is not expected here`);
    return {
      initialFilterCriteria: parseFilterCriteriaUnder(root),
      sharedIfcSetIds: childrenOf(child(root, "Extension"), "SharedIFCSetID").map(({ text }) =>
        integer(text, "SharedIFCSetID"),
      ),
    };
  });
}

export function buildPublicIdentity(identity: PublicIdentity): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${publicIdentityElement(identity)}\n`;
}

export function buildProfileServices({ initialFilterCriteria, sharedIfcSetIds }: ProfileServices): string {
  const criteria = initialFilterCriteria.map((each) => buildInitialFilterCriteria(each)).join("");
  const shared = wrap("Extension", sharedIfcSetIds.map((id) => leaf("SharedIFCSetID", id)).join(""));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ServiceProfile>${criteria}${shared}</ServiceProfile>\n`;
}

function unexpected(found: string, wanted: string): XmlRefused {
  return new XmlRefused("BAD_VALUE", `the root element is ${found.slice(0, 80)}, not ${wanted}`);
}

function reading<T>(read: () => T): ProvisionedResult<T> {
  try {
    return { kind: "parsed", value: read() };
  } catch (error) {
    if (!(error instanceof XmlRefused)) throw error;
    return { kind: "malformed", reason: error.message };
  }
}
