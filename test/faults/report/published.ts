/** Published recovery times of IMS functions, ms. */
export interface Published {
  readonly what: string;
  readonly who: string;
  readonly least: number;
  readonly most: number;
}

/** Raza et al., "Modular Redundancy for Cloud based IMS Robustness": with a redundant twin; OpenStack restart of the VM. */
export const PUBLISHED = {
  registration: { what: "registration, S-CSCF dies", who: "redundant twin", least: 290, most: 430 },
  call: { what: "call, S-CSCF dies", who: "redundant twin", least: 330, most: 600 },
  pcscf: { what: "P-CSCF dies", who: "redundant twin", least: 460, most: 1300 },
  restart: { what: "virtual machine restarted", who: "OpenStack", least: 18_000, most: 18_000 },
} as const satisfies Readonly<Record<string, Published>>;
