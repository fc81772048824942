import type { Command } from "commander";
import { emCommand } from "./em-command.ts";
import { packageCommand } from "./package-command.ts";
import { signCommand } from "./sign-command.ts";
import { sol003Command } from "./sol003-command.ts";
import { validateCommand } from "./validate-command.ts";

/** Commands around the package for a VNF manager. */
export function packagingCommands(exit: (code: number) => void): Command[] {
  return [packageCommand, signCommand, validateCommand, sol003Command, emCommand].map((make) => make(exit));
}
