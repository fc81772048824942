import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import {
  formatPackageFault,
  MANIFEST_FILE,
  PROFILES,
  type Profile,
  packageFiles,
  readPackageSource,
  type Signer,
  signPackage,
  validatePackage,
  wrapPackage,
  writeZip,
} from "@ims/vnf";
import { Command, Option } from "commander";
import { writeWhole } from "./write-whole.ts";

interface Given {
  readonly profile: Profile;
  readonly image: string;
  readonly imageName: string;
  readonly imageByName?: boolean;
  readonly sign?: readonly string[];
  readonly whole?: boolean;
  readonly output?: string;
  readonly model?: string;
  readonly heat?: string;
  readonly types?: string;
  readonly json?: boolean;
}

/** `tidewater vnf package`: exit code 1 when something it is made from is wrong, 2 for wrong use. */
export function packageCommand(exit: (code: number) => void): Command {
  return new Command("package")
    .description(
      "builds the package for a VNF manager (ETSI SOL 001, SOL 004) from the model, the Heat templates and an image; the same sources make the same bytes",
    )
    .addOption(
      new Option("--profile <profile>", "sol001-4: a VDU for each cell; sol001-2.6.1: for Tacker")
        .choices(PROFILES)
        .default("sol001-4"),
    )
    .requiredOption("--image <file>", "disk image of all roles, built in images/")
    .option("--image-name <name>", "name of the image in the image service", "tidewater")
    .option("--image-by-name", "sol001-2.6.1: leave the image out, the image service has it under its name")
    .option("--sign <key certificate...>", "sign with this key and certificate, two PEM files")
    .option("--whole", "with --sign: sign the package as a whole, in an archive around it (SOL 004 option 2)")
    .option("--output <file>", "where to write; default: <product>-<version>-<profile>.csar or .zip")
    .option("--model <folder>", "folder with the model; default: that of the project")
    .option("--heat <folder>", "folder with the templates; default: that of the project")
    .option("--types <folder>", "folder with the type files of SOL 001; default: those of the project")
    .option("--json", "print JSON")
    .action(async (given: Given) => exit(await build(given)));
}

async function build(given: Given): Promise<number> {
  const signer = signerOf(given.sign);
  if (signer === "bad" || (given.whole === true && signer === undefined)) {
    process.stderr.write(
      "tidewater: --sign takes two files, the key and the certificate; --whole needs it\n",
    );
    return 2;
  }
  if (given.imageByName === true && given.profile !== "sol001-2.6.1") {
    process.stderr.write(
      "tidewater: --image-by-name: only descriptors of 2.6.1 can do without the image; leave it out, or add --profile sol001-2.6.1\n",
    );
    return 2;
  }
  const { profile, image: imageFile, imageName, imageByName = false, model, heat, types } = given;
  const reading = await readPackageSource({
    profile,
    imageFile,
    imageName,
    imageByName,
    ...(model === undefined ? {} : { model }),
    ...(heat === undefined ? {} : { heat }),
    ...(types === undefined ? {} : { types }),
  });
  if (reading.kind === "bad") return refuse(reading.lines);
  const { source } = reading;
  let files = packageFiles(source);
  const { faults } = await validatePackage({ files });
  if (faults.length > 0) return refuse(faults.map(formatPackageFault));
  const { product } = source.facts;
  const name = `${product.name.toLowerCase()}-${product.software_version}-${profile}`;
  if (signer !== undefined && given.whole !== true) {
    const signed = await signPackage(files, MANIFEST_FILE, signer);
    if (signed.kind === "failed") return refuse([`${signed.problem}; ${signed.remedy}`]);
    files = signed.files;
  }
  let bytes = writeZip(files);
  let output = given.output ?? `${name}.csar`;
  if (signer !== undefined && given.whole === true) {
    const inner = given.output === undefined ? name : basename(given.output).replace(/\.[^.]*$/, "");
    const wrapped = await wrapPackage(bytes, inner, await readFile(signer.certificateFile), signer);
    if (wrapped.kind === "failed") return refuse([`${wrapped.problem}; ${wrapped.remedy}`]);
    bytes = writeZip(wrapped.files);
    output = given.output ?? `${name}.zip`;
  }
  await writeWhole(output, bytes);
  const signature =
    signer === undefined ? "not signed" : given.whole === true ? "signed as a whole" : "signed";
  const vnfd = source.facts.descriptors[profile];
  const made = { output, files: files.size, bytes: bytes.length, signature, vnfd };
  if (given.json === true) console.log(JSON.stringify(made));
  else console.log(`${output}: ${files.size} files, ${bytes.length} bytes, ${signature}, VNFD ${vnfd}`);
  return 0;
}

/** Key and certificate of --sign. */
export function signerOf(files: readonly string[] | undefined): Signer | undefined | "bad" {
  if (files === undefined) return undefined;
  const [keyFile, certificateFile, ...more] = files;
  return keyFile === undefined || certificateFile === undefined || more.length > 0
    ? "bad"
    : { keyFile, certificateFile };
}

function refuse(lines: readonly string[]): number {
  for (const line of lines) process.stderr.write(`tidewater: ${line}\n`);
  return 1;
}
