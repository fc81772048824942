import { Command } from "commander";
import { imageCommand } from "./image-command.ts";
import { instantiateCommand, preflightCommand } from "./instantiate-command.ts";
import { membersCommands } from "./members-commands.ts";
import { packagingCommands } from "./packaging-commands.ts";
import { planCommand } from "./plan-command.ts";
import { scaleCommand } from "./scale-command.ts";
import { scalerCommand } from "./scaler-command.ts";
import { placementCommand, statusCommand } from "./status-command.ts";
import { terminateCommand } from "./terminate-command.ts";
import { upgradeCommand } from "./upgrade-command.ts";

/** `tidewater vnf`: the VNF on OpenStack. */
export function vnfCommand(exit: (code: number) => void): Command {
  const vnf = new Command("vnf").description("the VNF on OpenStack");
  const makers = [planCommand, preflightCommand, imageCommand, instantiateCommand, statusCommand];
  for (const make of makers) vnf.addCommand(make(exit));
  vnf.addCommand(scaleCommand(exit)).addCommand(scalerCommand(exit));
  for (const command of [...membersCommands(exit), ...packagingCommands(exit)]) vnf.addCommand(command);
  for (const make of [placementCommand, upgradeCommand, terminateCommand]) vnf.addCommand(make(exit));
  return vnf;
}
