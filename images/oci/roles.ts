import { PROGRAMS, type Program } from "../build/bundles.ts";

/** A node that is run in a container. */
export interface ContainerRole {
  readonly name: string;
  readonly title: string;
  readonly program: Program;
  readonly uid: number;
}

/** Group of all of them; users and group have the numbers that they have in the disk image. */
export const GROUP = { name: "tidewater", gid: 800 } as const;

const TITLES: readonly (readonly [name: string, title: string, uid: number])[] = [
  ["bono", "P-CSCF, IBCF", 802],
  ["sprout", "I-CSCF, S-CSCF, BGCF, E-CSCF, MMTEL AS", 803],
  ["homestead", "HSS front end, HSS, AuC", 804],
  ["ralf", "charging trigger function", 808],
  ["homer", "XDMS of telephony services, call lists", 811],
  ["ellis", "accounts and numbers for users", 812],
];

export const CONTAINER_ROLES: readonly ContainerRole[] = TITLES.map(([name, title, uid]) => ({
  ...{ name, title, uid },
  program: PROGRAMS.find((one) => one.name === name) ?? {
    name,
    entry: `nodes/${name}/bin/${name}.ts`,
    file: `nodes/${name}/${name}.mjs`,
  },
}));

/** Where a node keeps its state, and what is mounted there when it is to outlive the container. */
export function stateFolderOf({ name }: ContainerRole): string {
  return `/var/lib/tidewater/${name}`;
}
