import { ImsError } from "@ims/runtime";

export type BackupFault =
  /** Something else than a backup of ours. */
  | { readonly code: "BACKUP_FOREIGN"; readonly file: string }
  | { readonly code: "BACKUP_NEWER"; readonly file: string; readonly version: number }
  /** Its end is missing. */
  | { readonly code: "BACKUP_TRUNCATED"; readonly file: string }
  | { readonly code: "BACKUP_DAMAGED"; readonly file: string; readonly place: string }
  /** The passphrase or key is another one. */
  | { readonly code: "BACKUP_KEY"; readonly file: string }
  /** A file of this machine that cannot be used: a key, a passphrase, a database. */
  | { readonly code: "BACKUP_FILE"; readonly file: string; readonly problem: string }
  /** The store cannot be backed up or restored into as it is. */
  | { readonly code: "BACKUP_STORE"; readonly store: string; readonly problem: string };

/** Why a backup is not taken, not read or not restored; the message says what to do. */
export class BackupError extends ImsError<BackupFault> {}

export const fileFault = (file: string, problem: string, cause?: unknown): BackupError =>
  new BackupError({ code: "BACKUP_FILE", file, problem }, { cause, message: `${file}: ${problem}` });

export const storeFault = (store: string, problem: string, cause?: unknown): BackupError =>
  new BackupError({ code: "BACKUP_STORE", store, problem }, { cause, message: `${store}: ${problem}` });

export const damaged = (file: string, place: string, cause?: unknown): BackupError =>
  new BackupError(
    { code: "BACKUP_DAMAGED", file, place },
    { cause, message: `${file} is damaged (${place}): take another copy of it, or an earlier backup` },
  );

export const truncated = (file: string): BackupError =>
  new BackupError(
    { code: "BACKUP_TRUNCATED", file },
    { message: `${file} ends too early: it was not copied whole; copy it again` },
  );
