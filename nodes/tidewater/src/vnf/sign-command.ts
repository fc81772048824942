import { MANIFEST_FILE, META_FILE, readPackage, signPackage, validatePackage, writeZip } from "@ims/vnf";
import { Command } from "commander";
import { writeWhole } from "./write-whole.ts";

interface Given {
  readonly output?: string;
  readonly json?: boolean;
}

/** `tidewater vnf sign`: puts a signature into a package, in the place of one that is there. */
export function signCommand(exit: (code: number) => void): Command {
  return new Command("sign")
    .description(
      "signs the manifest of a package (CMS, SOL 004 option 1); a signature that is there is replaced",
    )
    .argument("<csar>", "the package")
    .argument("<key>", "PEM file with the private key")
    .argument("<certificate>", "PEM file with its certificate")
    .option("--output <file>", "where to write; default: the package itself")
    .option("--json", "print JSON")
    .action(async (csar: string, keyFile: string, certificateFile: string, given: Given) =>
      exit(await sign(csar, keyFile, certificateFile, given)),
    );
}

async function sign(
  csar: string,
  keyFile: string,
  certificateFile: string,
  { output = csar, json }: Given,
): Promise<number> {
  const refuse = (problem: string, remedy: string): number => {
    process.stderr.write(`tidewater: ${csar}: ${problem}; ${remedy}\n`);
    return 1;
  };
  const reading = await readPackage(csar);
  if (reading.kind === "bad") return refuse(reading.problem, reading.remedy);
  const { files } = reading;
  const { faults } = await validatePackage({ files });
  const broken = faults.filter(({ at }) => at !== "CMS");
  const [first] = broken;
  if (first !== undefined)
    return refuse(
      `${broken.length} faults, the first in ${first.file}: ${first.problem}`,
      "nothing was signed: see tidewater vnf validate",
    );
  const meta = Buffer.from(files.get(META_FILE) ?? "").toString("utf8");
  const manifest = /^ETSI-Entry-Manifest:\s*(\S.*?)\s*$/m.exec(meta)?.[1] ?? MANIFEST_FILE;
  const signed = await signPackage(files, manifest, { keyFile, certificateFile });
  if (signed.kind === "failed") return refuse(signed.problem, signed.remedy);
  await writeWhole(output, writeZip(signed.files));
  console.log(json === true ? JSON.stringify({ output, signed: true }) : `${output}: signed`);
  return 0;
}
