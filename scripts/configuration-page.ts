import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bonoOptions } from "@ims/bono/options";
import { ellisOptions } from "@ims/ellis/options";
import { edgeAgentOptions, etcdClusterOptions } from "@ims/etcd-cluster";
import { homerOptions } from "@ims/homer/options";
import { homesteadOptions } from "@ims/homestead/options";
import { ralfOptions } from "@ims/ralf/options";
import { optionsOf, serviceOptions } from "@ims/runtime";
import { mmtelNodeOptions } from "@ims/sprout";
import { sproutOptions } from "@ims/sprout/options";
import { z } from "zod";

/** Processes and the schemas of their options. */
export const SCHEMAS: ReadonlyMap<string, z.ZodObject> = new Map<string, z.ZodObject>([
  ["bono", bonoOptions],
  ["sprout", sproutOptions],
  ["homestead", homesteadOptions],
  ["ralf", ralfOptions],
  ["homer", homerOptions],
  ["ellis", ellisOptions],
  ["mmtel", mmtelNodeOptions],
  ["etcd-cluster", etcdClusterOptions],
  ["edge-agent", edgeAgentOptions],
]);

/** The page of the options; a test holds it against the schemas. */
export const PAGE = "docs/reference/configuration.md";

interface Property {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Property;
  readonly format?: string;
}

/** docs/reference/configuration.md as the schemas have it. */
export function configurationPage(): string {
  const lines = [
    "<!-- Generated from the option schemas: sh scripts/node scripts/configuration-page.ts --write -->",
    "",
    "# Configuration",
    "",
    "Every option of every process. The later wins: default, `/etc/tidewater/shared_config` (`--shared-config`), `--config FILE`, environment, command line. `home_domain` in a file is",
    "`--home-domain` on the command line and `TIDEWATER_SPROUT_HOME_DOMAIN` in the environment of sprout. [Configuration](../operations/configuration.md) says how to look at it and change it.",
    "",
    "**at once**: a running node takes a new value from its files within two seconds; all others are in force with the next start. **secret**: shown nowhere.",
    "",
  ];
  const common = optionsOf("node", serviceOptions);
  lines.push("## Every process", "", ...table("node", serviceOptions), "");
  for (const [name, schema] of SCHEMAS) {
    const own = optionsOf(name, schema).filter(
      ({ key }) => !common.some((one) => one.key === key && same(name, schema, key)),
    );
    lines.push(`## ${name}`, "", ...table(name, schema, new Set(own.map(({ key }) => key))), "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

/** An option of every process that this one has no words or default of its own for. */
function same(name: string, schema: z.ZodObject, key: string): boolean {
  const rowOf = (of: z.ZodObject): string => table(name, of, new Set([key])).at(-1) ?? "";
  return rowOf(schema) === rowOf(serviceOptions);
}

function table(name: string, schema: z.ZodObject, only?: ReadonlySet<string>): string[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const properties = new Map(Object.entries((json.properties ?? {}) as Record<string, Property>));
  const rows = optionsOf(name, schema).flatMap((option) => {
    if (only !== undefined && !only.has(option.key)) return [];
    const { fileKeys, description, defaultValue, hot, secret, needs, key } = option;
    const notes = [
      ...(hot ? ["**at once**"] : []),
      ...(secret ? ["**secret**"] : []),
      ...(needs.length === 0
        ? []
        : [`goes with ${needs.map((one) => `\`${optionName(schema, one)}\``).join(" or ")}`]),
    ];
    const said = [description, ...notes].filter((part) => part !== "").join("; ");
    const onOff = switchOf(schema, key);
    const value = onOff ?? defaultValue;
    const usual = secret || value === undefined ? "" : `\`${JSON.stringify(value)}\``;
    const values = onOff === undefined ? valuesOf(properties.get(key)) : "`true` `false`";
    return [`| \`${fileKeys[0] ?? key}\` | ${values} | ${usual} | ${said.replaceAll("|", "\\|")} |`];
  });
  return ["| option | values | default | |", "|---|---|---|---|", ...rows];
}

/** The default of an option that is on or off; JSON Schema does not say of all that they are. */
function switchOf(schema: z.ZodObject, key: string): boolean | undefined {
  const type = schema.shape[key] as z.ZodType;
  const [on, usual] = [type.safeParse("true").data, type.safeParse(undefined).data];
  return typeof on === "boolean" && typeof usual === "boolean" ? usual : undefined;
}

function optionName(schema: z.ZodObject, key: string): string {
  return optionsOf("node", schema).find((option) => option.key === key)?.fileKeys[0] ?? key;
}

function valuesOf(property: Property | undefined): string {
  if (property === undefined) return "";
  const { type, minimum, maximum, items } = property;
  if (property.enum !== undefined) return property.enum.map((one) => `\`${one}\``).join(" ");
  if (type === "array") return `list of ${valuesOf(items) || "text"}`;
  if (type === "integer" || type === "number") {
    const least = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
    const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
    if (least !== undefined && most !== undefined) return `${type} ${least} to ${most}`;
    if (least !== undefined) return `${type} from ${least}`;
    return most === undefined ? type : `${type} to ${most}`;
  }
  return type === "string" || type === undefined ? "text" : type;
}

if (import.meta.main) {
  if (process.argv[2] === "--write")
    writeFileSync(join(import.meta.dirname, "..", PAGE), configurationPage());
  else process.stdout.write(configurationPage());
}
