import { hash } from "node:crypto";
import type { KvStore } from "@ims/store";
import { z } from "zod";
import type { Account } from "../accounts/account.ts";
import { Documents, UNAVAILABLE, type Unavailable } from "../store/documents.ts";

const PARTS = 16;
/** Contacts of a part: what fits into a document. */
const MAX_BYTES = 60_000;

const contactSchema = z.object({
  email: z.string(),
  fullName: z.string(),
  numbers: z.array(z.string()),
  revision: z.number(),
});
const contactsSchema = z.array(contactSchema);
export type Contact = z.output<typeof contactSchema>;

/** The global address book: numbers that their accounts have listed. */
export class AddressBook {
  readonly #parts: Documents<typeof contactsSchema>;

  constructor(store: KvStore) {
    this.#parts = new Documents(store, "ellis-address-book", contactsSchema);
  }

  async contacts(): Promise<readonly Contact[] | Unavailable> {
    const parts = await Promise.all(
      Array.from({ length: PARTS }, (_, part) => this.#parts.get(String(part))),
    );
    const contacts: Contact[] = [];
    for (const part of parts) {
      if (part === UNAVAILABLE) return UNAVAILABLE;
      contacts.push(...(part ?? []));
    }
    return contacts.sort((one, other) => (one.email < other.email ? -1 : 1));
  }

  /** Says of an account what it says of itself; an older word than the last one changes nothing. */
  async follow({ email, fullName, numbers, revision }: Account): Promise<"followed" | "full" | Unavailable> {
    const listed = numbers.filter((number) => number.listed).map(({ uri }) => uri);
    let full = false;
    const result = await this.#parts.change(partOf(email), (before = []) => {
      const known = before.find((each) => each.email === email);
      if ((known?.revision ?? -1) >= revision || (known === undefined && listed.length === 0)) return "keep";
      const others = before.filter((each) => each !== known);
      const after =
        listed.length === 0 ? others : [...others, { email, fullName, numbers: listed, revision }];
      full = JSON.stringify(after).length > MAX_BYTES;
      return full ? "keep" : after;
    });
    if (result === UNAVAILABLE) return UNAVAILABLE;
    return full ? "full" : "followed";
  }
}

function partOf(email: string): string {
  return String(Number.parseInt(hash("sha256", email).slice(0, 2), 16) % PARTS);
}
