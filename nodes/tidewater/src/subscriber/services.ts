import { readFileSync } from "node:fs";
import type { NewSubscriber, Subscriber } from "@ims/api";
import { parseFilterCriteriaSet } from "@ims/ims";
import { InvalidArgumentError } from "commander";

export interface ServiceOptions {
  readonly ifcFile?: string;
  readonly sharedIfcSet?: readonly number[];
  readonly resourcePriority?: readonly string[];
}

type Services = NonNullable<NewSubscriber["services"]>;

/** For commander: collects --shared-ifc-set. */
export function sharedSet(text: string, before: readonly number[] = []): number[] {
  if (!/^[0-9]{1,10}$/.test(text)) throw new InvalidArgumentError("Write it as a number.");
  return [...before, Number(text)];
}

/** For commander: collects --resource-priority; "none" takes all away. */
export function resourcePriority(text: string, before: readonly string[] = []): string[] {
  if (text === "none") return [];
  if (!/^[^\s.,]+\.[^\s.,]+$/.test(text)) throw new InvalidArgumentError("Write it as ets.0, or none.");
  return [...before, text];
}

/** Is any option of services given? */
export function givesServices({ ifcFile, sharedIfcSet, resourcePriority }: ServiceOptions): boolean {
  return ifcFile !== undefined || sharedIfcSet !== undefined || resourcePriority !== undefined;
}

/**
 * What a subscriber's services become: what the options name replaces what was there, the rest stays. Undefined when no option is
 * given. Throws with file, place and remedy when the file has no filter criteria in it.
 */
export function servicesOf(given: ServiceOptions, before?: Subscriber["services"]): Services | undefined {
  if (!givesServices(given)) return undefined;
  const { ifcFile, sharedIfcSet, resourcePriority: priorities } = given;
  return {
    ...before,
    ...(ifcFile === undefined ? {} : { initialFilterCriteria: criteriaIn(ifcFile) }),
    ...(sharedIfcSet === undefined ? {} : { sharedIfcSetIds: [...sharedIfcSet] }),
    ...(priorities === undefined ? {} : { resourcePriorities: [...priorities] }),
  } as Services;
}

function criteriaIn(file: string): Services["initialFilterCriteria"] {
  const read = parseFilterCriteriaSet(readFileSync(file, "utf8"));
  if (read.kind === "malformed")
    throw new Error(
      `${file}: ${read.reason}\nWrite InitialFilterCriteria of TS 29.228 annex E, one as the root element or several under any.`,
    );
  // The contract's lists are not readonly.
  return structuredClone(read.sets) as Services["initialFilterCriteria"];
}
