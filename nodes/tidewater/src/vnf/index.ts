import { Command } from "commander";
import { planCommand } from "./plan-command.ts";

/** `tidewater vnf`: the VNF on OpenStack. */
export function vnfCommand(exit: (code: number) => void): Command {
  return new Command("vnf").description("the VNF on OpenStack").addCommand(planCommand(exit));
}
