import type { ContactEvent } from "@ims/ims";
import type { Registration } from "../store/registration.ts";
import type { Change, RemovedBy, UpdateResult } from "../store/registration-store.ts";
import type { ScscfModules } from "./modules.ts";

export type ChangeResult = UpdateResult & {
  /** Sends the NOTIFYs that the change calls for; they are numbered and remembered already. */
  readonly tell: () => void;
};

const NOTHING = (): void => undefined;

/**
 * A change of a set of which its subscribers are to hear (TS 24.229 §5.4.2.1.2). `gone`: why contacts end that end by it. What is to be
 * sent is written with the change itself, so that another member sends it should this one die; a set without subscriptions costs nothing more.
 */
export async function changeRegistration(
  { registrations, notifier }: Pick<ScscfModules, "registrations" | "notifier">,
  key: string,
  gone: ContactEvent,
  change: Change,
  removedBy?: RemovedBy,
): Promise<ChangeResult> {
  let before: Registration | undefined;
  const prepared: Change = (current, removed) => {
    before = undefined;
    const wanted = change(current, removed);
    if (wanted === "keep" || current === undefined || current.subscriptions.length === 0) return wanted;
    before = current;
    return notifier.prepare(current, wanted, gone);
  };
  const stored = await registrations.update(key, prepared, removedBy);
  if (before === undefined || stored.kind !== "stored") return { ...stored, tell: NOTHING };
  const from: Registration = before;
  const { registration } = stored;
  const tell = (): void => notifier.tell(registration, from, gone);
  return registration.state === "terminated" ? { kind: "removed", tell } : { ...stored, tell };
}
