/** `scscfPort` on the command line: `scscf-port`. */
export function kebabName(key: string): string {
  return split(key).join("-");
}

/** `scscfPort` in a file: `scscf_port`. */
export function snakeName(key: string): string {
  return split(key).join("_");
}

/** `scscfPort` of sprout in the environment: `TIDEWATER_SPROUT_SCSCF_PORT`. */
export function environmentName(node: string, key: string): string {
  return `${environmentPrefix(node)}${snakeName(key).toUpperCase()}`;
}

export function environmentPrefix(node: string): string {
  return `TIDEWATER_${node.toUpperCase().replaceAll("-", "_")}_`;
}

function split(key: string): string[] {
  return key
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(" ");
}
