import type { Command } from "commander";
import { packageCommand } from "./package-command.ts";
import { signCommand } from "./sign-command.ts";
import { validateCommand } from "./validate-command.ts";

/** Commands around the package for a VNF manager. */
export function packagingCommands(exit: (code: number) => void): Command[] {
  return [packageCommand, signCommand, validateCommand].map((make) => make(exit));
}
