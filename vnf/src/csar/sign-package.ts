import type { PackageFiles } from "../sol001/validate/descriptor-bundle.ts";
import { type CmsResult, type Signer, signDetached } from "./cms.ts";
import { splitSignature, withSignature } from "./manifest.ts";

export type SignedPackage =
  | { readonly kind: "signed"; readonly files: Map<string, Uint8Array> }
  | { readonly kind: "failed"; readonly problem: string; readonly remedy: string };

/** Puts a CMS signature at the end of the manifest (SOL 004 clause 5.1, option 1), in the place of one that is there. */
export async function signPackage(
  files: PackageFiles,
  manifestFile: string,
  signer: Signer,
): Promise<SignedPackage> {
  const bytes = files.get(manifestFile);
  if (bytes === undefined)
    return {
      kind: "failed",
      problem: `there is no manifest ${manifestFile}`,
      remedy: "validate the package first",
    };
  const { signed } = splitSignature(Buffer.from(bytes).toString("utf8"));
  const cms = await signDetached(Buffer.from(signed), signer);
  if (cms.kind === "failed") return cms;
  return {
    kind: "signed",
    files: new Map([...files, [manifestFile, Buffer.from(withSignature(signed, bodyOf(cms.pem)))]]),
  };
}

/** Option 2: an archive of the package, its signature and the certificate, by the names that SOL 004 clause 5.2 gives them. */
export async function wrapPackage(
  csar: Uint8Array,
  name: string,
  certificate: Uint8Array,
  signer: Signer,
): Promise<SignedPackage> {
  const cms: CmsResult = await signDetached(csar, signer);
  if (cms.kind === "failed") return cms;
  return {
    kind: "signed",
    files: new Map([
      [`${name}.csar`, csar],
      [`${name}.cms`, Buffer.from(cms.pem)],
      [`${name}.cert`, certificate],
    ]),
  };
}

function bodyOf(pem: string): string {
  return pem.replace(/-----(?:BEGIN|END) CMS-----/g, "").trim();
}

export function pemOf(body: string): string {
  return `-----BEGIN CMS-----\n${body.trim()}\n-----END CMS-----\n`;
}
