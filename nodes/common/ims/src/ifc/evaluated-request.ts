import type { Effort } from "../regular-expression/extended.ts";
import type { RegistrationType, SessionCase } from "./initial-filter-criteria.ts";

/** What a trigger may look at in an initial request. */
export type EvaluatedRequest = {
  readonly method: string;
  readonly requestUri: string;
  readonly sessionCase: SessionCase;
  /** Whether the served user is registered: TS 29.228 §B.2.2, ProfilePartIndicator. */
  readonly registered: boolean;
  /** Of a REGISTER. */
  readonly registrationType?: RegistrationType | undefined;
  /** The session description, when the body is one. */
  readonly sdp?: string | undefined;
  /** Values of a header field by name in any case; empty when it is absent. */
  header(name: string): readonly string[];
  /** Names of all header fields. */
  headerNames(): readonly string[];
};

/** Whether it holds. Once the effort is spent it does not, negated or not. */
export type Condition = (request: EvaluatedRequest, effort: Effort) => boolean;
