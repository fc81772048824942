import { type Clock, LATENCY_SECONDS, type MetricsRegister, SET_UP_SECONDS } from "@ims/runtime";
import { failureCause, failureCauses, type RequestContext } from "@ims/sip";

const PROCEDURES = [
  "initialRegistration",
  "reRegistration",
  "deregistration",
  "session",
  "message",
  "subscription",
  "publication",
  "other",
] as const;
type Procedure = (typeof PROCEDURES)[number];

/** "": a registration is nobody's call. */
const ROLES = ["originating", "terminating", ""] as const;
type Role = (typeof ROLES)[number];

const OF_METHOD: ReadonlyMap<string, Procedure> = new Map([
  ["INVITE", "session"],
  ["MESSAGE", "message"],
  ["SUBSCRIBE", "subscription"],
  ["PUBLISH", "publication"],
]);

/** What is found out about a REGISTER while it is worked on. */
export interface RegistrationAttempt {
  /** The user has a binding, whatever becomes of it. */
  registered: boolean;
  /** It only removes contacts. */
  removal: boolean;
  /** It only asks which there are: no registration. */
  fetch: boolean;
}

/**
 * Procedures at the S-CSCF as TS 32.409 counts them: attempted, successful, failed by cause, and how long they took. A session has
 * been set up with its 180 or 2xx, whichever comes first; that nobody answers a phone that rings is no failure. What is challenged is not
 * over: a registration counts with the request that ends it.
 */
export class ScscfMeasurement {
  readonly #clock: Clock;
  readonly #metrics: ReturnType<typeof families>;

  constructor(register: MetricsRegister, clock: Clock) {
    this.#clock = clock;
    this.#metrics = families(register);
  }

  /** REGISTER; the caller fills in what it finds out. */
  registration(context: RequestContext): RegistrationAttempt {
    const attempt: RegistrationAttempt = { registered: false, removal: false, fetch: false };
    const begun = this.#clock.monotonic();
    let done = false;
    context.onUpstream(({ status }) => {
      if (done || status < 200 || status === 401 || attempt.fetch) return;
      done = true;
      const procedure = attempt.removal
        ? "deregistration"
        : attempt.registered
          ? "reRegistration"
          : "initialRegistration";
      this.#metrics.attempts.inc({ procedure, role: "" });
      this.#ended(procedure, "", status, begun);
    });
    return attempt;
  }

  /** A challenged user has not come back in time (TS 24.229 §5.4.1.2.3). */
  authenticationTimedOut(): void {
    const labels = { procedure: "initialRegistration", role: "" } as const;
    this.#metrics.attempts.inc(labels);
    this.#metrics.failures.inc({ ...labels, cause: "authenticationTimeout" });
  }

  /** A request outside a dialog. */
  initial(context: RequestContext, role: "originating" | "terminating"): void {
    const procedure = OF_METHOD.get(context.request.method) ?? "other";
    const begun = this.#clock.monotonic();
    this.#metrics.attempts.inc({ procedure, role });
    if (procedure === "session") this.#session(context, role, begun);
    else {
      let done = false;
      context.onUpstream(({ status }) => {
        if (done || status < 200) return;
        done = true;
        this.#ended(procedure, role, status, begun);
      });
    }
  }

  #session(context: RequestContext, role: "originating" | "terminating", begun: number): void {
    let isSetUp = false;
    let done = false;
    context.onUpstream(({ status }) => {
      if (done || (status < 200 && status !== 180)) return;
      done = status >= 200;
      if (status < 300 && !isSetUp) {
        isSetUp = true;
        this.#ended("session", role, 200, begun);
      }
      if (status < 200) return;
      if (status >= 300) {
        if (isSetUp) this.#metrics.unanswered.inc({ role, cause: failureCause(status) });
        else this.#ended("session", role, status, begun);
        return;
      }
      this.#metrics.answered.inc({ role });
      this.#metrics.answerSeconds.observe({ role }, (this.#clock.monotonic() - begun) / 1000);
    });
  }

  #ended(procedure: Procedure, role: Role, status: number, begun: number): void {
    const { successes, failures, seconds } = this.#metrics;
    if (status < 300) successes.inc({ procedure, role });
    else failures.inc({ procedure, role, cause: failureCause(status) });
    seconds.observe({ procedure, role }, (this.#clock.monotonic() - begun) / 1000);
  }
}

function families(register: MetricsRegister) {
  const labels = { procedure: PROCEDURES, role: ROLES } as const;
  const ofSession = { role: ["originating", "terminating"] } as const;
  return {
    attempts: register.counter({
      name: "ims_sprout_procedure_attempts_total",
      help: "Procedures attempted at the S-CSCF, by procedure and role of the served user",
      labels,
    }),
    successes: register.counter({
      name: "ims_sprout_procedure_successes_total",
      help: "Procedures that were successful; a session with its 180 or 2xx, whichever came first",
      labels,
    }),
    failures: register.counter({
      name: "ims_sprout_procedure_failures_total",
      help: "Procedures that failed, by SIP status code",
      labels: { ...labels, cause: [...failureCauses, "authenticationTimeout"] },
    }),
    seconds: register.histogram({
      name: "ims_sprout_procedure_seconds",
      help: "From a request to the success or failure of its procedure",
      labels,
      buckets: LATENCY_SECONDS,
    }),
    answered: register.counter({
      name: "ims_sprout_sessions_answered_total",
      help: "Sessions answered with a 2xx",
      labels: ofSession,
    }),
    unanswered: register.counter({
      name: "ims_sprout_sessions_unanswered_total",
      help: "Sessions that ended after 180 without being answered, by SIP status code",
      labels: { ...ofSession, cause: failureCauses },
    }),
    answerSeconds: register.histogram({
      name: "ims_sprout_session_answer_seconds",
      help: "From an INVITE to its 2xx",
      labels: ofSession,
      buckets: SET_UP_SECONDS,
    }),
  };
}
