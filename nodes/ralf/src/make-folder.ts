import { makeFolder as make } from "@ims/runtime";
import { RalfError } from "./errors.ts";

/** Makes a directory and those above it. Throws RALF_FOLDER with the option that named it. */
export function makeFolder(option: string, folder: string): void {
  try {
    make(folder);
  } catch (cause) {
    throw new RalfError(
      { code: "RALF_FOLDER", option, folder },
      { message: `${option} ${folder}: it cannot be made or written to`, cause },
    );
  }
}
