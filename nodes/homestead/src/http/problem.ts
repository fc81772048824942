/** A refusal as RFC 9457 says it; thrown inside routes, written by the error handler. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly title: string;

  constructor(status: number, title: string, detail: string) {
    super(detail);
    this.status = status;
    this.title = title;
  }
}

export const notFound = (impi: string): HttpProblem =>
  new HttpProblem(404, "Unknown subscriber", `there is no subscriber ${impi}`);

export const conflict = (identity: string, owner: string): HttpProblem =>
  new HttpProblem(
    409,
    "Identity in use",
    identity === owner ? `${identity} exists already` : `${identity} belongs to ${owner}`,
  );

/** The store of subscribers does not answer; what was asked for may be asked again. */
export const storeAway = (): HttpProblem =>
  new HttpProblem(503, "Subscriber store away", "the subscriber store does not answer; try again");

/** Others changed the subscriber each time before we could. */
export const changedMeanwhile = (impi: string): HttpProblem =>
  new HttpProblem(409, "Changed meanwhile", `${impi} is being changed by others; try again`);
