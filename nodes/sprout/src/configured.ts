import { readFileSync } from "node:fs";
import { parseSipOrSipsUri } from "@ims/sip";
import { z } from "zod";
import { SproutError } from "./errors.ts";
import type { ConfiguredScscf } from "./icscf/scscf-selection.ts";

/** The text of an option that must be a SIP URI; throws SproutError otherwise. */
export function checkedUri(option: string, text: string): string {
  if (parseSipOrSipsUri(text) === undefined)
    throw new SproutError({ code: "SPROUT_BAD_URI", option, value: text });
  return text;
}

const scscfList = z
  .array(
    z.object({
      uri: z.string().refine((text) => parseSipOrSipsUri(text) !== undefined, "no SIP URI"),
      capabilities: z.array(z.int().min(0)).default([]),
      priority: z.int().min(0).default(0),
      weight: z.int().min(0).default(1),
    }),
  )
  .min(1);

/** S-CSCFs that an I-CSCF chooses from (TS 29.228 §6.7), of a JSON file. Throws SproutError. */
export function readScscfs(file: string): readonly ConfiguredScscf[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new SproutError({ code: "SPROUT_SCSCF_FILE", file, problem: "cannot be read" }, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SproutError({ code: "SPROUT_SCSCF_FILE", file, problem: "is not JSON" }, { cause });
  }
  const parsed = scscfList.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const problem = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "bad value"}`;
  throw new SproutError({ code: "SPROUT_SCSCF_FILE", file, problem });
}
