import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load, YAMLException } from "js-yaml";
import { z } from "zod";
import { type CloudReading, cloudEntry, cloudOf } from "./cloud.ts";

export interface CloudSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Name in clouds.yaml; default: OS_CLOUD. */
  readonly cloud?: string;
  /** Current folder and home folder: where clouds.yaml is looked for. */
  readonly folder: string;
  readonly home: string;
}

/** clouds.yaml and secure.yaml: https://docs.openstack.org/openstacksdk, OS_*: python-openstackclient. */
const cloudsFile = z.object({ clouds: z.record(z.string(), z.record(z.string(), z.unknown())) });

/** How to reach the cloud: a named entry of clouds.yaml, or else OS_* variables, or else the only entry. */
export function readCloud({ environment, cloud, folder, home }: CloudSources): CloudReading {
  const name = cloud ?? environment["OS_CLOUD"] ?? "";
  if (name === "" && (environment["OS_AUTH_URL"] ?? "") !== "") return fromEnvironment(environment);
  const folders = [
    folder,
    join(environment["XDG_CONFIG_HOME"] ?? join(home, ".config"), "openstack"),
    "/etc/openstack",
  ];
  const given = environment["OS_CLIENT_CONFIG_FILE"];
  const paths = [...(given === undefined ? [] : [given]), ...folders.map((one) => join(one, "clouds.yaml"))];
  for (const path of paths) {
    const clouds = cloudsIn(path);
    if (clouds === undefined) continue;
    if (typeof clouds === "string") return { kind: "bad", problem: clouds };
    const names = [...clouds.keys()];
    const chosen = name === "" && names.length === 1 ? (names[0] ?? "") : name;
    const entry = clouds.get(chosen);
    if (entry === undefined) {
      const problem =
        name === ""
          ? `${path} has several clouds; name one with --cloud or OS_CLOUD: ${names.join(", ")}`
          : `${path} has no cloud ${name}, only ${names.join(", ")}`;
      return { kind: "bad", problem };
    }
    const secure = cloudsIn(
      environment["OS_CLIENT_SECURE_FILE"] ?? path.replace(/clouds\.yaml$/, "secure.yaml"),
    );
    if (typeof secure === "string") return { kind: "bad", problem: secure };
    const secret = path.endsWith("clouds.yaml") ? secure?.get(chosen) : undefined;
    const merged = { ...entry, ...secret, auth: { ...mapOf(entry["auth"]), ...mapOf(secret?.["auth"]) } };
    const parsed = cloudEntry.safeParse(merged);
    const where = `${path}: clouds.${chosen}`;
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return { kind: "bad", problem: `${where}.${issue?.path.join(".")}: ${issue?.message}` };
    }
    return cloudOf(chosen, parsed.data, where);
  }
  return {
    kind: "bad",
    problem: `${name === "" ? "it is not told which cloud to use" : `there is no clouds.yaml with cloud ${name}`}: set OS_CLOUD and have a clouds.yaml (here, or ${folders.slice(1).join(", or ")}), or source an openrc file (OS_AUTH_URL ...)`,
  };
}

function mapOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Undefined: there is no such file. A text: what is wrong with it. */
function cloudsIn(path: string): Map<string, Record<string, unknown>> | string | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? undefined : `${path} cannot be read: ${code}`;
  }
  try {
    const parsed = cloudsFile.safeParse(load(text, { filename: path, maxDepth: 20 }));
    if (!parsed.success) return `${path}: there is no map of clouds in it`;
    return new Map(Object.entries(parsed.data.clouds));
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return `${path}${error.mark === undefined ? "" : `:${error.mark.line + 1}`}: ${error.reason}`;
  }
}

function fromEnvironment(environment: CloudSources["environment"]): CloudReading {
  const auth: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment))
    if (name.startsWith("OS_") && value !== undefined && value !== "")
      auth[name.slice(3).toLowerCase()] = value;
  const insecure = auth["insecure"];
  return cloudOf(
    "environment",
    {
      auth,
      ...(auth["auth_type"] === undefined ? {} : { auth_type: auth["auth_type"] }),
      ...(auth["region_name"] === undefined ? {} : { region_name: auth["region_name"] }),
      ...(auth["interface"] === undefined ? {} : { interface: auth["interface"] }),
      ...(auth["endpoint_type"] === undefined ? {} : { endpoint_type: auth["endpoint_type"] }),
      ...(auth["cacert"] === undefined ? {} : { cacert: auth["cacert"] }),
      ...(auth["cert"] === undefined ? {} : { cert: auth["cert"] }),
      ...(auth["key"] === undefined ? {} : { key: auth["key"] }),
      ...(insecure === undefined ? {} : { verify: !/^(?:true|1|yes)$/i.test(insecure) }),
    },
    "OS_* variables",
  );
}
