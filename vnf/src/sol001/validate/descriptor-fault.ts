import { type Fault, formatFault } from "../../model/yaml-file.ts";

/** Something wrong in a package, and what to do about it. */
export interface PackageFault extends Fault {
  readonly remedy: string;
}

export function formatPackageFault(fault: PackageFault): string {
  return `${formatFault(fault)}; ${fault.remedy}`;
}
