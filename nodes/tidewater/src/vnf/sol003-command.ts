import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import {
  done,
  findSol003,
  healSol003,
  instantiateSol003,
  MANIFEST_FILE,
  OpenStackError,
  OpenStackSession,
  type Outcome,
  onboardPackage,
  type Run,
  readCloud,
  readPackage,
  realPace,
  scaleSol003,
  terminateSol003,
  Vnfm,
  validatePackage,
  vimConnection,
} from "@ims/vnf";
import { Command, InvalidArgumentError } from "commander";
import { collectPairs, positive, tellOutcome } from "./cloud-command.ts";

interface Given {
  readonly cloud?: string;
  readonly timeout: number;
  readonly json?: boolean;
}

interface Onboarding extends Given {
  readonly trust?: string;
  readonly signed?: boolean;
}

/** `tidewater vnf sol003`: the life cycle through a VNF manager (Tacker) instead of straight through Heat. */
export function sol003Command(exit: (code: number) => void): Command {
  const group = new Command("sol003").description(
    "the VNF through a VNF manager that speaks SOL 003 (Tacker), found in the catalogue of the cloud",
  );
  const add = (name: string, description: string): Command =>
    group
      .command(name)
      .description(description)
      .option("--cloud <name>", "entry of clouds.yaml; default: OS_CLOUD, or OS_* variables")
      .option("--timeout <minutes>", "longest to wait", positive, 60)
      .option("--json", "print JSON; progress goes to standard error in any case");
  add("onboard", "onboard a package; one with the same descriptor is not onboarded twice")
    .argument("<csar>")
    .option(
      "--trust <file>",
      "PEM file with the certificates whose signatures count; a package without one is refused",
    )
    .option("--signed", "a package without a signature is refused")
    .action(async (csar: string, given: Onboarding) => exit(await onboard(csar, given)));
  add("instantiate", "make an instance of an onboarded package")
    .argument("<name>")
    .argument("<vnfd>", "identifier of the descriptor")
    .option("--flavour <flavour>", "deployment flavour", "ha")
    .option("--level <level>", "instantiation level; default: that of the flavour")
    .option("--parameter <name=value>", "parameter of the templates; may be repeated", collectPairs)
    .action(
      async (
        name: string,
        vnfdId: string,
        given: Given & { flavour: string; level?: string; parameter?: ReadonlyMap<string, string> },
      ) =>
        exit(
          await withVnfm(given, (vnfm, run, session) => {
            const connection = vimConnection(session.cloud);
            if (connection.kind === "bad")
              return { kind: "failed", reason: connection.problem, exists: [], next: [] };
            const { flavour, level, parameter = new Map() } = given;
            return instantiateSol003(
              vnfm,
              {
                name,
                vnfdId,
                flavour,
                vim: connection.vim,
                parameters: Object.fromEntries(parameter),
                ...(level === undefined ? {} : { level }),
              },
              run,
            );
          }),
        ),
    );
  add("scale", "bring a pool to a scale level, one aligned step after the other")
    .argument("<name>")
    .argument("<pool=level>", "as bono=1", levelOf)
    .action(async (name: string, { pool, level }: { pool: string; level: number }, given: Given) =>
      exit(await withVnfm(given, (vnfm, run) => scaleSol003(vnfm, name, pool, level, run))),
    );
  add("heal", "make members anew")
    .argument("<name>")
    .argument("<vnfc...>", "identifiers of VNFCs, see status")
    .option("--cause <cause>", "cause that the VNF manager is told", "vnfc_failed")
    .action(async (name: string, vnfcs: string[], given: Given & { cause: string }) =>
      exit(await withVnfm(given, (vnfm, run) => healSol003(vnfm, name, vnfcs, given.cause, run))),
    );
  add("terminate", "terminate an instance and remove it")
    .argument("<name>")
    .option("--graceful <seconds>", "time to drain before", positive)
    .action(async (name: string, given: Given & { graceful?: number }) =>
      exit(await withVnfm(given, (vnfm, run) => terminateSol003(vnfm, name, given.graceful ?? 0, run))),
    );
  add("status", "show an instance: state, scale levels, members")
    .argument("<name>")
    .action(async (name: string, given: Given) =>
      exit(await withVnfm(given, (vnfm, run) => status(vnfm, name, run))),
    );
  add("decide", "go on after an operation that failed half way (FAILED_TEMP)")
    .argument("<operation>")
    .addArgument(group.createArgument("<how>").choices(["retry", "rollback", "fail"]))
    .action(async (operation: string, how: "retry" | "rollback" | "fail", given: Given) =>
      exit(
        await withVnfm(given, async (vnfm, run) => {
          await vnfm.decide(operation, how, run.signal);
          return done(`${operation}: ${how}`);
        }),
      ),
    );
  return group;
}

function levelOf(text: string): { pool: string; level: number } {
  const [, pool, level] = /^([a-z][a-z0-9-]*)=(\d{1,4})$/.exec(text) ?? [];
  if (pool === undefined || level === undefined) throw new InvalidArgumentError("write <pool>=<scale level>");
  return { pool, level: Number(level) };
}

async function onboard(path: string, given: Onboarding): Promise<number> {
  const reading = await readPackage(path, given.trust);
  const refuse = (reason: string): number =>
    tellOutcome({ kind: "failed", reason, exists: [], next: ["tidewater vnf validate shows all"] }, given);
  if (reading.kind === "bad") return refuse(`${path}: ${reading.problem}; ${reading.remedy}`);
  const { faults } = await validatePackage({
    files: reading.files,
    ...(given.trust === undefined ? {} : { trustFile: given.trust }),
    signed: (given.signed === true || given.trust !== undefined) && reading.outer === undefined,
  });
  if (faults.length > 0)
    return refuse(`${path}: ${faults.length} faults, the first: ${faults[0]?.problem}; nothing was sent`);
  const manifest = Buffer.from(reading.files.get(MANIFEST_FILE) ?? "").toString("utf8");
  const [, vnfdId = ""] = /^ {2}vnfd_id: (\S+)$/m.exec(manifest) ?? [];
  const bytes = await readFile(path);
  return withVnfm(given, (vnfm, run) => onboardPackage(vnfm, bytes, vnfdId, run));
}

async function status(vnfm: Vnfm, name: string, run: Run): Promise<Outcome> {
  const instance = await findSol003(vnfm, name, run);
  if (instance === undefined) return { kind: "failed", reason: `there is no ${name}`, exists: [], next: [] };
  const { instantiationState, instantiatedVnfInfo: info, id } = await vnfm.instance(instance.id, run.signal);
  const lines = [
    `${name} ${id}: ${instantiationState}${info?.flavourId === undefined ? "" : `, flavour ${info.flavourId}`}`,
  ];
  for (const { aspectId, scaleLevel } of info?.scaleStatus ?? [])
    lines.push(`  ${aspectId}: scale level ${scaleLevel}`);
  for (const { id: vnfc, vduId } of info?.vnfcInfo ?? []) lines.push(`  ${vduId}  ${vnfc}`);
  return done(lines.join("\n"), false);
}

async function withVnfm(
  given: Given,
  work: (vnfm: Vnfm, run: Run, session: OpenStackSession) => Outcome | Promise<Outcome>,
): Promise<number> {
  const reading = readCloud({
    environment: process.env,
    folder: process.cwd(),
    home: homedir(),
    ...(given.cloud === undefined ? {} : { cloud: given.cloud }),
  });
  if (reading.kind === "bad")
    return tellOutcome({ kind: "failed", reason: reading.problem, exists: [], next: [] }, given);
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt);
  const begun = Date.now();
  const progress = (line: string): void => {
    process.stderr.write(`${String(Math.round((Date.now() - begun) / 1000)).padStart(5)} s  ${line}\n`);
  };
  const session = new OpenStackSession(reading.cloud, {
    pace: realPace,
    onRetry: (reason, ms) => progress(`${reason}; again in ${Math.round(ms / 1000)} s`),
  });
  try {
    return tellOutcome(
      await work(
        new Vnfm(session),
        { pace: realPace, progress, timeoutMs: given.timeout * 60_000, signal: stop.signal },
        session,
      ),
      given,
    );
  } catch (error) {
    if (!(error instanceof OpenStackError)) throw error;
    return tellOutcome({ kind: "failed", reason: error.message, exists: [], next: [] }, given);
  } finally {
    process.removeListener("SIGINT", interrupt);
    await session.close();
  }
}
