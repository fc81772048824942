import {
  type ApplyResult,
  type ConfigDocument,
  ConfigManager,
  type ConfigReader,
  etcdClientOf,
  type FileApplyResult,
  FileConfig,
  type SettingChange,
} from "@ims/etcd-cluster";
import { systemClock } from "@ims/runtime";

/** Where a configuration is kept, from the command line. */
export interface TargetGiven {
  readonly etcd?: string;
  readonly etcdCa?: string;
  readonly etcdCertificate?: string;
  readonly etcdKey?: string;
  readonly root: string;
  readonly file: string;
}

export type Outcome = ApplyResult | FileApplyResult;
export type Differences =
  | Exclude<Outcome, { readonly kind: "applied" }>
  | { readonly kind: "changes"; readonly changes: readonly SettingChange[] };
export type Found =
  | { readonly kind: "config"; readonly document: ConfigDocument; readonly recorded: boolean }
  | Extract<Outcome, { readonly kind: "none" | "unreadable" | "unavailable" }>;

export interface Change {
  readonly text: string;
  readonly author: string;
  readonly comment: string;
  readonly on?: number;
}

/** The configuration of a site in etcd, or the file of one machine: the same commands for both. */
export interface Target {
  /** For messages. */
  readonly name: string;
  readonly kind: "etcd" | "file";
  show(): Promise<Found>;
  history(): Promise<
    | { readonly kind: "history"; readonly documents: readonly ConfigDocument[] }
    | Extract<Outcome, { kind: "unavailable" }>
  >;
  diff(text: string): Promise<Differences>;
  apply(change: Change): Promise<Outcome>;
  rollback(change: { readonly to: number; readonly author: string; readonly on?: number }): Promise<Outcome>;
  close(): void;
}

/** Throws one line for endpoints or certificates that will not do. */
export function openTarget(given: TargetGiven, nodes: readonly ConfigReader[]): Target {
  return given.etcd === undefined ? fileTarget(given.file, nodes) : etcdTarget(given.etcd, given, nodes);
}

function fileTarget(path: string, nodes: readonly ConfigReader[]): Target {
  const config = new FileConfig({ path, clock: systemClock(), nodes });
  return {
    name: path,
    kind: "file",
    async show() {
      const state = await config.show();
      return state === undefined ? { kind: "none" } : { kind: "config", ...state };
    },
    history: async () => ({ kind: "history", documents: await config.history() }),
    diff: (text) => config.diff(text),
    apply: (change) => config.apply(change),
    rollback: (change) => config.rollback(change),
    close() {},
  };
}

function etcdTarget(etcd: string, given: TargetGiven, nodes: readonly ConfigReader[]): Target {
  const clock = systemClock();
  const { etcdCa = "", etcdCertificate = "", etcdKey = "", root } = given;
  const client = etcdClientOf({ etcd, etcdCa, etcdCertificate, etcdKey }, clock);
  const manager = new ConfigManager({ client, clock, root, nodes });
  return {
    name: "etcd",
    kind: "etcd",
    async show() {
      const found = await manager.show();
      return found.kind === "config" ? { ...found, recorded: true } : found;
    },
    history: () => manager.history(),
    diff: (text) => manager.diff(text),
    apply: (change) => manager.apply(change),
    rollback: (change) => manager.rollback(change),
    close: () => client.close(),
  };
}
