import { bonoOptions } from "@ims/bono";
import { configAdmin } from "@ims/etcd-cluster";
import { homesteadOptions } from "@ims/homestead";
import { sproutOptions } from "@ims/sprout";

const NODES = [
  { pool: "bono", schema: bonoOptions },
  { pool: "sprout", schema: sproutOptions },
  { pool: "homestead", schema: homesteadOptions },
];

process.exitCode = await configAdmin(process.argv.slice(2), NODES, (line) => console.log(line));
