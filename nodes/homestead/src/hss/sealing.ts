import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { HomesteadError } from "../errors.ts";

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts secrets for storage: AES-256-GCM, bound to the subscriber they belong to. */
export type Sealing = {
  seal(plain: string, owner: string): Uint8Array;
  /** Throws SECRETS_UNREADABLE when the key is another one or the bytes were changed. */
  open(sealed: Uint8Array, owner: string): string;
};

/** The key file (mode 0600) is made at the first start. Throws KEY_FILE when it cannot be used. */
export function sealingWithKeyFile(file: string): Sealing {
  return sealingWith(createSecretKey(readKeyFile(file)));
}

export function sealingWith(key: KeyObject): Sealing {
  return {
    seal(plain, owner) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(owner));
      return Buffer.concat([iv, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, owner) {
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, IV_BYTES), {
          authTagLength: TAG_BYTES,
        }).setAAD(Buffer.from(owner));
        decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
        return (
          decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8")
        );
      } catch (cause) {
        throw new HomesteadError({ code: "SECRETS_UNREADABLE", impi: owner }, { cause });
      }
    },
  };
}

function readKeyFile(file: string): Buffer {
  let handle: number;
  if (!existsSync(file)) makeKeyFile(file);
  try {
    handle = openSync(file, "r");
  } catch (cause) {
    throw new HomesteadError({ code: "KEY_FILE", file, problem: "cannot be read" }, { cause });
  }
  try {
    if ((fstatSync(handle).mode & 0o077) !== 0) {
      throw new HomesteadError({ code: "KEY_FILE", file, problem: "may be read by others; chmod 600 it" });
    }
    const key = readFileSync(handle);
    if (key.length === KEY_BYTES) return key;
    throw new HomesteadError({ code: "KEY_FILE", file, problem: `must hold ${KEY_BYTES} octets` });
  } finally {
    closeSync(handle);
  }
}

/** Under its name the file is whole: homesteads that start together on one directory get one key. */
function makeKeyFile(file: string): void {
  const fresh = `${file}.${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    writeFileSync(fresh, randomBytes(KEY_BYTES), { flag: "wx", mode: 0o600 });
    linkSync(fresh, file);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) {
      throw new HomesteadError({ code: "KEY_FILE", file, problem: "cannot be written" }, { cause });
    }
  } finally {
    rmSync(fresh, { force: true });
  }
}
