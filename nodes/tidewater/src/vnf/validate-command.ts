import {
  formatPackageFault,
  lintHot,
  type PackageFault,
  readPackage,
  type SignatureState,
  validatePackage,
} from "@ims/vnf";
import { Command } from "commander";

interface Given {
  readonly trust?: string;
  readonly signed?: boolean;
  readonly json?: boolean;
}

const SIGNATURES: Readonly<Record<SignatureState, string>> = {
  none: "not signed",
  unchanged: "signed, unchanged since; name those you trust with --trust",
  trusted: "signed by one you trust",
  bad: "signature does not hold",
};

/** `tidewater vnf validate`: exit code 1 when there are faults. */
export function validateCommand(exit: (code: number) => void): Command {
  return new Command("validate")
    .description(
      "checks a package, packed or unpacked: SOL 004 (metadata, digests, signature), SOL 001 (types and what they mean together), descriptor against templates; or a folder of Heat templates",
    )
    .argument("<path>", "a .csar, an archive of one with its signature, or a folder")
    .option("--trust <file>", "PEM file with the certificates whose signatures count")
    .option("--signed", "a package without a signature is a fault")
    .option("--json", "print JSON")
    .action(async (path: string, given: Given) => exit(await validate(path, given)));
}

async function validate(path: string, given: Given): Promise<number> {
  const reading = await readPackage(path, given.trust);
  if (reading.kind === "bad")
    return report(path, given, [{ file: path, line: 0, at: "", ...reading }], undefined);
  const { files, outer } = reading;
  if (files.has("ims.yaml")) {
    const texts = [...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString("utf8")] as const);
    const faults = lintHot(new Map(texts)).map((fault) => ({ ...fault, remedy: "correct the template" }));
    return report(path, given, faults, `${files.size} files of Heat templates`);
  }
  const check = await validatePackage({
    files,
    ...(given.trust === undefined ? {} : { trustFile: given.trust }),
    signed: given.signed === true && outer === undefined,
  });
  const signature = outer ?? check.signature;
  return report(path, given, check.faults, `${files.size} files, ${SIGNATURES[signature]}`);
}

function report(
  path: string,
  { json }: Given,
  faults: readonly PackageFault[],
  summary: string | undefined,
): number {
  if (json === true)
    console.log(
      JSON.stringify(
        {
          path,
          valid: faults.length === 0,
          ...(summary === undefined ? {} : { summary }),
          faults: faults.map(({ file, line, at, problem, remedy }) => ({ file, line, at, problem, remedy })),
        },
        undefined,
        2,
      ),
    );
  else {
    for (const fault of faults) process.stderr.write(`tidewater: ${formatPackageFault(fault)}\n`);
    if (faults.length === 0) console.log(`${path}: valid; ${summary ?? ""}`);
  }
  return faults.length === 0 ? 0 : 1;
}
