export type OpenStackFault =
  /** How to reach the cloud is not told, or told wrongly. */
  | { readonly code: "CLOUD_CONFIG"; readonly problem: string }
  /** No connection, no answer in time, or TLS refused. */
  | {
      readonly code: "UNREACHABLE";
      readonly service: string;
      readonly url: string;
      readonly reason: string;
      /** False: it was certainly not done. */
      readonly maybeDone: boolean;
    }
  /** Keystone does not let us in. */
  | { readonly code: "AUTHENTICATION"; readonly url: string; readonly detail: string }
  /** The catalogue has no such service for us. */
  | {
      readonly code: "NO_SERVICE";
      readonly service: string;
      readonly region: string;
      readonly known: readonly string[];
    }
  /** A service said no. */
  | {
      readonly code: "REFUSED";
      readonly service: string;
      readonly method: string;
      readonly path: string;
      readonly status: number;
      readonly detail: string;
    }
  /** Something answered that is not that service. */
  | { readonly code: "ANSWER"; readonly service: string; readonly url: string; readonly problem: string };

/** What went wrong between us and the cloud; the message is a line for an operator and has no secret in it. */
export class OpenStackError extends Error {
  readonly detail: OpenStackFault;

  constructor(detail: OpenStackFault, options?: ErrorOptions) {
    super(describe(detail), options);
    this.name = "OpenStackError";
    this.detail = detail;
  }

  /** HTTP status of a refusal; undefined for anything else. */
  get status(): number | undefined {
    return this.detail.code === "REFUSED" ? this.detail.status : undefined;
  }
}

export function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof OpenStackError && error.status !== undefined && statuses.includes(error.status);
}

function describe(fault: OpenStackFault): string {
  switch (fault.code) {
    case "CLOUD_CONFIG":
      return fault.problem;
    case "UNREACHABLE":
      return `${fault.service} at ${fault.url}: ${fault.reason}`;
    case "AUTHENTICATION":
      return `keystone at ${fault.url} refuses the credentials: ${fault.detail}`;
    case "NO_SERVICE":
      return `no ${fault.service} service for this project${fault.region === "" ? "" : ` in region ${fault.region}`}; the catalogue has ${fault.known.length === 0 ? "nothing" : fault.known.join(", ")}`;
    case "REFUSED":
      return `${fault.service} answers ${fault.status} to ${fault.method} ${fault.path}: ${fault.detail}`;
    case "ANSWER":
      return `what answers at ${fault.url} is not ${fault.service}: ${fault.problem}`;
  }
}
