import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { CONTAINER_ROLES } from "../../images/oci/roles.ts";
import { configOf, digestOf, runImage, unpackImage } from "../support/oci-image.ts";

/** Runs the node of every image of a layout from the file system that umoci unpacks: npm run test:oci [-- LAYOUT] */
const layout = resolve(process.argv[2] ?? join(import.meta.dirname, "../../dist/oci"));
if (!existsSync(join(layout, "index.json"))) {
  console.error(`there is no OCI image layout in ${layout}: run 'npm run image:oci' first, or name one`);
  process.exit(2);
}
const any = (...names: readonly string[]): string[] => names.flatMap((name) => [`--${name}-port`, "0"]);
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  bono: [...any("sip", "ws", "core", "management"), "--icscf-uri", "sip:127.0.0.1:1;transport=tcp"],
  sprout: any("icscf", "scscf", "management"),
  homestead: any("diameter", "provisioning", "management"),
  ralf: [...any("management"), "--port", "0"],
  homer: [...any("core", "management"), "--port", "0", "--homestead", "http://127.0.0.1:1"],
  ellis: [...any("management"), "--port", "0", "--homestead", "http://127.0.0.1:1"],
};

for (const { name } of CONTAINER_ROLES) {
  const from = performance.now();
  const { root, remove } = unpackImage(layout, name);
  try {
    const config = configOf(layout, name);
    const container = await runImage(root, config, ARGUMENTS[name] ?? []);
    const live = await fetch(`http://127.0.0.1:${container.ports["management"]}/health/live`);
    const ready = await fetch(`http://127.0.0.1:${container.ports["management"]}/health/ready`);
    const code = await container.stop();
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    console.log(
      `${name}: ${digestOf(layout, name)}, user ${config.config.User}, live ${live.status}, ready ${ready.status}, ended with ${code}, ${seconds} s`,
    );
    if (live.status !== 200 || code !== 0) process.exitCode = 1;
  } finally {
    remove();
  }
}
