import type { PeerOptions } from "@ims/diameter";

const DIAMETER_PORT = 3868;

/** The CDFs of `--cdf`: the first is the primary one, the others are asked when it does not answer (TS 32.260 §5.1.2). */
export function cdfPeers(cdf: readonly string[], realm: string): readonly PeerOptions[] {
  return cdf.map((text, priority) => {
    const [, inBrackets, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::([0-9]+))?$/.exec(text) ?? [];
    return {
      host: inBrackets ?? plain ?? text,
      port: port === undefined ? DIAMETER_PORT : Number(port),
      priority,
      realms: [realm],
    };
  });
}
