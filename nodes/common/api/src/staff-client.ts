import { ImsError } from "@ims/runtime";
import type { z } from "zod";
import { ellisErrorSchema } from "./self-provisioning.ts";
import {
  type ChangedStaff,
  type MadeStaff,
  madeStaffSchema,
  type NewStaff,
  type StaffAccount,
  staffAccountsSchema,
} from "./staff.ts";

export type StaffFault =
  | { readonly code: "STAFF_REFUSED"; readonly status: number; readonly reason: string }
  | { readonly code: "STAFF_UNREACHABLE"; readonly url: string }
  /** What answers is not an ellis of this release. */
  | { readonly code: "STAFF_ANSWER"; readonly url: string };

export class StaffError extends ImsError<StaffFault> {}

const DEADLINE_MS = 20_000;

/** Staff accounts of ellis, for who has its API key. Every method throws StaffError. */
export class StaffClient {
  readonly #url: string;
  readonly #apiKey: string;

  constructor(url: string, apiKey: string) {
    this.#url = url.replace(/\/$/, "");
    this.#apiKey = apiKey;
  }

  async list(): Promise<readonly StaffAccount[]> {
    return this.#read(staffAccountsSchema, await this.#ask("GET", "")).staff;
  }

  async add(staff: NewStaff): Promise<MadeStaff> {
    return this.#read(madeStaffSchema, await this.#ask("POST", "", staff));
  }

  async change(email: string, change: ChangedStaff): Promise<MadeStaff> {
    return this.#read(madeStaffSchema, await this.#ask("PATCH", `/${encodeURIComponent(email)}`, change));
  }

  async remove(email: string): Promise<void> {
    await this.#ask("DELETE", `/${encodeURIComponent(email)}`);
  }

  #read<S extends z.ZodType>(schema: S, answer: unknown): z.output<S> {
    const result = schema.safeParse(answer);
    if (result.success) return result.data;
    throw new StaffError({ code: "STAFF_ANSWER", url: this.#url }, { cause: result.error });
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers = { "ngv-api-key": this.#apiKey, "content-type": "application/json" };
    let status: number;
    let answer: unknown;
    try {
      const response = await fetch(`${this.#url}/staff/accounts${path}`, {
        ...{ method, headers, redirect: "error", signal: AbortSignal.timeout(DEADLINE_MS) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      status = response.status;
      answer = jsonOf(await response.text());
    } catch (cause) {
      throw new StaffError({ code: "STAFF_UNREACHABLE", url: this.#url }, { cause });
    }
    if (status < 300) return answer;
    const refused = ellisErrorSchema.safeParse(answer);
    if (!refused.success) throw new StaffError({ code: "STAFF_ANSWER", url: this.#url });
    throw new StaffError({ code: "STAFF_REFUSED", status, reason: refused.data.reason });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
