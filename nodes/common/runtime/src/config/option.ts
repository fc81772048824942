import { z } from "zod";
import { environmentName, kebabName, snakeName } from "./option-names.ts";

/** What `.meta()` of an option may say beside its description. */
export interface OptionMeta {
  /** Another name for it in files. */
  readonly clearwaterKey?: string;
  readonly heatParameter?: string;
  /** The value never shows in a message. */
  readonly secret?: boolean;
  /** "hot": a running node takes a new value at once. Default: with its next start. */
  readonly reload?: "hot";
  /** Keys of options of which one must be given with it. */
  readonly needs?: readonly string[];
}

/** One option of a node, as its schema tells it. */
export interface Option {
  readonly key: string;
  readonly commandLine: string;
  readonly environment: string;
  /** Names understood in files. */
  readonly fileKeys: readonly string[];
  readonly description: string;
  /** JSON Schema type: "string", "integer", "boolean", "array" ...; undefined for unions. */
  readonly type: string | undefined;
  readonly itemType: string | undefined;
  readonly defaultValue: unknown;
  readonly secret: boolean;
  readonly hot: boolean;
  readonly needs: readonly string[];
}

interface Property extends OptionMeta {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly items?: { readonly type?: string };
}

/** The options of `node` in the order of its schema. */
export function optionsOf(node: string, schema: z.ZodObject): Option[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const properties = new Map(Object.entries((json.properties ?? {}) as Record<string, Property>));
  return Object.keys(schema.shape).map((key) => {
    const property = properties.get(key) ?? {};
    return {
      key,
      commandLine: kebabName(key),
      environment: environmentName(node, key),
      fileKeys: [
        ...new Set([snakeName(key), key, ...(property.clearwaterKey ? [property.clearwaterKey] : [])]),
      ],
      description: property.description ?? "",
      type: property.type,
      itemType: property.items?.type,
      defaultValue: property.default,
      secret: property.secret === true,
      hot: property.reload === "hot",
      needs: property.needs ?? [],
    };
  });
}

const TRUE = new Set(["true", "yes", "y", "on", "1"]);
const FALSE = new Set(["false", "no", "n", "off", "0"]);

/** The text of a file, the environment or the command line as the schema's type; what does not fit stays text, for zod to refuse. */
export function fromText(option: Pick<Option, "type" | "itemType">, text: string): unknown {
  switch (option.type) {
    case "integer":
    case "number":
      return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
    case "boolean": {
      const word = text.toLowerCase();
      return TRUE.has(word) ? true : FALSE.has(word) ? false : text;
    }
    case "array": {
      const parts = text.split(",").map((part) => part.trim());
      const items = parts.filter((part) => part !== "");
      return items.map((item) => fromText({ type: option.itemType, itemType: undefined }, item));
    }
    case "object":
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return text;
      }
    default:
      return text;
  }
}
