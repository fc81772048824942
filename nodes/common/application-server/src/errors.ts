import { ImsError } from "@ims/runtime";

export type ApplicationServerFault = {
  readonly code: "APPLICATION_SERVER_MODULE";
  /** Of the module. */
  readonly file: string;
  readonly problem: string;
};

/** An application server that cannot be loaded. */
export class ApplicationServerError extends ImsError<ApplicationServerFault> {}
