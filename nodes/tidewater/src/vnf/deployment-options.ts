import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Deployment, formatFault, readDeployment } from "@ims/vnf";
import { type Command, Option } from "commander";
import { collect, collectPairs } from "./cloud-command.ts";

export interface DeploymentGiven {
  readonly environment?: readonly string[];
  readonly parameter?: ReadonlyMap<string, string>;
  readonly joinTokenFile?: string;
  readonly templates: string;
  readonly hosts?: ReadonlyMap<string, string>;
}

const TEMPLATES = join(import.meta.dirname, "../../../../heat-templates");

/** Options that say what the VNF is made from. */
export function withDeployment(command: Command): Command {
  return command
    .option(
      "-e, --environment <name>",
      "environment of the templates (small, medium, dmz-provider-network ...) or a file; may be repeated, a later one wins",
      collect,
    )
    .option("-p, --parameter <name=value>", "parameter of ims.yaml; may be repeated", collectPairs)
    .option(
      "--join-token-file <file>",
      "file with the one-time token that lets members into the etcd cluster",
    )
    .addOption(
      new Option("--templates <folder>", "folder with ims.yaml and environments").default(
        TEMPLATES,
        "heat-templates of this program",
      ),
    )
    .option(
      "--hosts <zone=hosts>",
      "hosts of an availability zone, when the project may not see them; may be repeated",
      collectPairs,
    );
}

export type GivenDeployment =
  | {
      readonly kind: "deployment";
      readonly deployment: Deployment;
      readonly hosts: ReadonlyMap<string, number>;
    }
  | { readonly kind: "bad"; readonly problems: readonly string[] };

export function deploymentOf(given: DeploymentGiven): GivenDeployment {
  const { templates, environment = [], parameter = new Map<string, string>() } = given;
  const parameters = new Map(parameter);
  const problems: string[] = [];
  if (given.joinTokenFile !== undefined) {
    const token = readToken(given.joinTokenFile);
    if (token.kind === "bad") problems.push(token.problem);
    else parameters.set("join_token", token.token);
  }
  const hosts = new Map<string, number>();
  for (const [zone, text] of given.hosts ?? []) {
    if (/^\d{1,5}$/.test(text)) hosts.set(zone, Number(text));
    else problems.push(`--hosts ${zone}=${text}: ${text} is no number of hosts`);
  }
  const reading = readDeployment({
    template: join(templates, "ims.yaml"),
    environments: environment.map((name) => {
      const own = join(templates, "environments", `${name}.yaml`);
      return /^[a-z0-9-]+$/.test(name) && existsSync(own) ? own : resolve(name);
    }),
    parameters,
  });
  if (reading.kind === "bad") problems.push(...reading.faults.map(formatFault));
  return reading.kind === "bad" || problems.length > 0
    ? { kind: "bad", problems }
    : { kind: "deployment", deployment: reading.deployment, hosts };
}

export type TokenReading =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "bad"; readonly problem: string };

/** The one line of a file. */
export function readToken(file: string): TokenReading {
  try {
    const token = readFileSync(file, "utf8").trim();
    if (token !== "" && !/\s/.test(token)) return { kind: "token", token };
    return { kind: "bad", problem: `${file}: one line with the token is expected` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { kind: "bad", problem: `${file}: ${code === "ENOENT" ? "there is no such file" : code}` };
  }
}
