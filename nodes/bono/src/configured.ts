import { parseSipOrSipsUri, type Uri } from "@ims/sip";
import { BonoError } from "./errors.ts";

/** The SIP URI of an option; throws BonoError where its text is none. */
export function sipUri(option: string, text: string): Uri {
  const uri = parseSipOrSipsUri(text);
  if (uri === undefined) throw new BonoError({ code: "BONO_BAD_URI", option, value: text });
  return uri;
}
