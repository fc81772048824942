import { MIN_TURN_SECRET } from "@ims/api";
import { EllisError } from "./errors.ts";
import type { TurnServer } from "./http/turn-routes.ts";
import type { EllisOptions } from "./options.ts";
import { contentOf } from "./secrets.ts";

/** The TURN server of the options, undefined when they name none. Throws EllisError. */
export function turnServerOf(options: EllisOptions): TurnServer | undefined {
  const { turnUris: uris, turnSecretFile: file, turnCredentialHours } = options;
  if (uris.length === 0 && file === "") return undefined;
  if (uris.length === 0 || file === "")
    throw new EllisError(
      { code: "ELLIS_OPTION", option: "--turn-uris", problem: "goes with --turn-secret-file" },
      { message: "--turn-uris goes with --turn-secret-file" },
    );
  // Never made here: one that the TURN server does not have would give credentials that are good for nothing.
  const secret = contentOf("--turn-secret-file", file).trim();
  if (secret.length < MIN_TURN_SECRET)
    throw new EllisError({
      code: "ELLIS_FILE",
      option: "--turn-secret-file",
      file,
      problem: `must hold at least ${MIN_TURN_SECRET} characters, those of the TURN server`,
    });
  return { secret, uris, ttlSeconds: turnCredentialHours * 3600 };
}
