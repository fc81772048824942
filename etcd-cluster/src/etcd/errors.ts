import { ImsError } from "@ims/runtime";

export type EtcdFault =
  /** No endpoint gave an answer within the deadline; what each last said. */
  | { readonly code: "ETCD_UNAVAILABLE"; readonly path: string; readonly problem: string }
  /** etcd refuses the request as such: a mistake of the caller, or the limits of etcd. */
  | {
      readonly code: "ETCD_REFUSED";
      readonly path: string;
      readonly status: number;
      readonly problem: string;
    }
  | { readonly code: "ETCD_ENDPOINT"; readonly text: string; readonly problem: string }
  /** An option, or the file that it names, cannot be used. */
  | { readonly code: "ETCD_OPTION"; readonly text: string; readonly problem: string }
  | { readonly code: "ETCD_SNAPSHOT"; readonly text: string; readonly problem: string }
  /** A machine is not let in, or what should let it in cannot be used. */
  | { readonly code: "ETCD_ENROLMENT"; readonly text: string; readonly problem: string }
  /** A program that we run failed: its name, and the end of what it said. */
  | { readonly code: "ETCD_PROGRAM"; readonly text: string; readonly problem: string };

/** etcd cannot be asked, or what it was asked or says breaks the rules. */
export class EtcdError extends ImsError<EtcdFault> {}

/** Expected: no quorum, no endpoint, or no answer in time. */
export interface Unavailable {
  readonly kind: "unavailable";
  /** The request was sent and its answer did not come: it may have taken effect. Never set for reads. */
  readonly maybeDone: boolean;
  readonly cause: EtcdError;
}
