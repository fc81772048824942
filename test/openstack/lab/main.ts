import { parseArgs } from "node:util";
import { startLab, stopLab } from "./lab.ts";
import { LAB_FOLDER, labHosts } from "./lab-settings.ts";

const USAGE = `A running OpenStack on a loopback address: Keystone, Placement, Glance, Nova, Neutron and Heat from Debian 12,
compute hosts without virtual machines.
  up [--hosts dmz=8,core=8] [--address 127.77.0.1] [--folder FOLDER] [--tacker]
                                        with --tacker a VNF manager, too (sh scripts/install-tacker)
  down [--keep] [--folder FOLDER]       ends it by process id and removes the folder, which --keep leaves
FOLDER has openrc, openrc-ims and clouds.yaml; failed/<host> makes that host dead for as long as the file is there.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: "string", default: LAB_FOLDER },
    address: { type: "string", default: "127.77.0.1" },
    hosts: { type: "string", default: "dmz=8,core=8" },
    tacker: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
const tell = (line: string): void => console.log(line);
switch (positionals[0]) {
  case "up": {
    const { folder, address, tacker } = values;
    await startLab({ folder, address, hosts: labHosts(values.hosts), tacker }, tell);
    console.log(`. ${folder}/openrc-ims`);
    break;
  }
  case "down":
    await stopLab(values.folder, values.keep);
    break;
  default:
    console.error(USAGE);
    process.exitCode = 2;
}
