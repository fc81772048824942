import type { Command } from "commander";
import { snmpCommand } from "../snmp/snmp-command.ts";
import { alarmsCommand } from "./alarms-command.ts";
import { diagnoseCommand } from "./diagnose-command.ts";
import { logLevelCommand } from "./log-level-command.ts";

/** `tidewater alarms|log-level|diagnose|snmp-agent`: what operators ask running nodes. */
export function operateCommands(exit: (code: number) => void): Command[] {
  return [alarmsCommand(exit), logLevelCommand(exit), diagnoseCommand(exit), snmpCommand(exit)];
}
