import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { CONTAINER_ROLES } from "../../images/oci/roles.ts";
import { type Container, configOf, digestOf, runImage, unpackImage } from "../support/oci-image.ts";

/** Runs the node of every image of a layout from the file system that umoci unpacks: npm run test:oci [-- LAYOUT] */
const layout = resolve(process.argv[2] ?? join(import.meta.dirname, "../../dist/oci"));
if (!existsSync(join(layout, "index.json"))) {
  console.error(`there is no OCI image layout in ${layout}: run 'npm run image:oci' first, or name one`);
  process.exit(2);
}
const any = (...names: readonly string[]): string[] => names.flatMap((name) => [`--${name}-port`, "0"]);
const nobody = "http://127.0.0.1:1";
/** homestead first: the others find it at its ports. */
const ARGUMENTS: readonly (readonly [
  name: string,
  args: (ports: Container["ports"]) => readonly string[],
])[] = [
  ["homestead", () => any("diameter", "provisioning", "management")],
  [
    "sprout",
    ({ diameter }) => [...any("icscf", "scscf", "management"), "--hss-peer", `127.0.0.1:${diameter}`],
  ],
  ["bono", () => [...any("sip", "ws", "core", "management"), "--icscf-uri", "sip:127.0.0.1:1;transport=tcp"]],
  ["ralf", () => [...any("management"), "--port", "0", "--cdr-dir", "/var/lib/tidewater/ralf/cdr"]],
  ["homer", () => [...any("ut", "core", "management"), "--homestead", nobody]],
  ["ellis", () => [...any("management"), "--port", "0", "--homestead", nobody]],
];
assert.equal(ARGUMENTS.length, CONTAINER_ROLES.length);

const running: { readonly name: string; readonly container: Container; readonly remove: () => void }[] = [];
let ports: Container["ports"] = {};
try {
  for (const [name, args] of ARGUMENTS) {
    const { root, remove } = unpackImage(layout, name);
    const config = configOf(layout, name);
    const container = await runImage(root, config, args(ports));
    running.push({ name, container, remove });
    if (name === "homestead") ({ ports } = container);
    const url = `http://127.0.0.1:${container.ports["management"]}/health/ready`;
    let ready = await fetch(url);
    // sprout is ready when its connection to homestead is up.
    for (let tries = 0; !ready.ok && tries < 200; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      ready = await fetch(url);
    }
    console.log(`${name}: ${digestOf(layout, name)}, user ${config.config.User}, ready ${ready.status}`);
    if (!ready.ok) process.exitCode = 1;
  }
} finally {
  for (const { name, container, remove } of running.reverse()) {
    const code = await container.stop();
    console.log(`${name}: ended with ${code}`);
    if (code !== 0) process.exitCode = 1;
    remove();
  }
}
