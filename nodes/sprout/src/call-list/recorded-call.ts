import { type KeyObject, randomFillSync } from "node:crypto";
import { SealedStates } from "@ims/application-server";

/** The call to whose list a request inside a dialog belongs. */
export interface RecordedCall {
  /** Whose list it is in, canonical. */
  readonly impu: string;
  /** 12 hex digits. */
  readonly call: string;
  /** ms since 1970. */
  readonly startedAt: number;
}

const CALL_BYTES = 6;
const HEAD_BYTES = 6 + CALL_BYTES;

/** Which call a dialog is, as the user part of our Record-Route: any member of the pool notes its end. */
export class RecordedCalls {
  readonly #sealed: SealedStates;

  /** `key`: one for the whole pool. */
  constructor(key: KeyObject) {
    this.#sealed = new SealedStates({ key, label: "call list dialog", prefix: "cl_" });
  }

  /** A name for a new call. */
  call(): string {
    return randomFillSync(Buffer.alloc(CALL_BYTES)).toString("hex");
  }

  /** Throws RangeError for an identity that is too long for a user part. */
  issue({ impu, call, startedAt }: RecordedCall): string {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUIntBE(startedAt, 0, 6);
    head.write(call, 6, "hex");
    return this.#sealed.seal(Buffer.concat([head, Buffer.from(impu)]));
  }

  /** "none": the user part is something else; "forged": the pool's key does not open it. */
  read(user: string): RecordedCall | "none" | "forged" {
    const opened = this.#sealed.open(user);
    if (typeof opened === "string") return opened;
    if (opened.length <= HEAD_BYTES) return "forged";
    const octets = Buffer.from(opened);
    return {
      startedAt: octets.readUIntBE(0, 6),
      call: octets.toString("hex", 6, HEAD_BYTES),
      impu: octets.toString("utf8", HEAD_BYTES),
    };
  }
}
