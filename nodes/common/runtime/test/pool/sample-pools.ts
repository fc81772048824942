import type { PoolsFileInput } from "@ims/runtime";

/** bono, sprout and homestead with as many members as given, as the command line program writes them. */
export function samplePools(counts: { sprout?: number; bono?: number; homestead?: number }): PoolsFileInput {
  const members = (pool: string, net: number, count = 0): PoolsFileInput["pools"][number]["members"] =>
    Array.from({ length: count }, (_, i) => ({
      name: `${pool}-${i + 1}`,
      addresses: [`127.0.${net}.${i + 1}`],
    }));
  return {
    version: 1,
    domain: "example.com",
    pools: [
      {
        name: "sprout",
        services: [
          { protocol: "sip", transport: "tcp", port: 5052 },
          { name: "icscf", protocol: "sip", transport: "tcp", port: 5052 },
          { name: "scscf", protocol: "sip", transport: "tcp", port: 5054 },
          { name: "scscf", protocol: "sip", transport: "udp", port: 5054 },
        ],
        members: members("sprout", 2, counts.sprout),
      },
      {
        name: "bono",
        services: [{ protocol: "sip", transport: "tcp", port: 5058 }],
        members: members("bono", 1, counts.bono),
      },
      {
        name: "homestead",
        services: [{ protocol: "diameter", transport: "tcp", port: 3868 }],
        members: members("homestead", 3, counts.homestead),
      },
    ],
  };
}
