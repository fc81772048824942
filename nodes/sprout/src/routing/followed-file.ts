import { type Clock, FollowedFile as File, type FollowedFileOptions, type Logger } from "@ims/runtime";
import type { z } from "zod";
import { SproutError } from "../errors.ts";

export type { TableResult } from "@ims/runtime";

/** A JSON file of tables by which requests are routed. Throws SproutError. */
export class FollowedFile<S extends z.ZodType, T> extends File<S, T> {
  constructor(
    options: Omit<FollowedFileOptions<S, T>, "fault">,
    modules: { readonly clock: Clock; readonly log: Logger },
    code: "SPROUT_NUMBERS_FILE" | "SPROUT_EMERGENCY_FILE" = "SPROUT_NUMBERS_FILE",
  ) {
    super(
      {
        ...options,
        fault: (file, problem, cause) =>
          new SproutError({ code, file, problem }, cause === undefined ? undefined : { cause }),
      },
      modules,
    );
  }
}
