import {
  compileExtendedRegularExpression,
  type Effort,
  type ExtendedRegularExpression,
} from "../regular-expression/extended.ts";
import type { Condition, EvaluatedRequest } from "./evaluated-request.ts";
import type { ServicePointTrigger, TriggerCondition } from "./initial-filter-criteria.ts";

/** One service point trigger: TS 29.228 §B.2.3. Expressions are compiled when they are first needed. */
export function compileCondition({ condition, negated }: ServicePointTrigger): Condition {
  const holds = compilePositive(condition);
  return (request, effort) => {
    const outcome = holds(request, effort);
    if (outcome === undefined || effort.steps < 0) return false;
    return outcome !== negated;
  };
}

/** Undefined when an expression of it is malformed. */
type Positive = (request: EvaluatedRequest, effort: Effort) => boolean | undefined;

/** A step of the compiler costs more than one of the matcher. */
const COMPILING_STEPS = 2_000;

type LazyExpression = (effort: Effort) => ExtendedRegularExpression | undefined;

function lazy(source: string): LazyExpression {
  let compiled: ExtendedRegularExpression | undefined;
  let done = false;
  return (effort) => {
    if (!done) {
      effort.steps -= COMPILING_STEPS;
      if (effort.steps < 0) return undefined;
      compiled = compileExtendedRegularExpression(source);
      done = true;
    }
    return compiled;
  };
}

function compilePositive(condition: TriggerCondition): Positive {
  switch (condition.kind) {
    case "method": {
      const { method, registrationTypes } = condition;
      return (request) =>
        request.method === method &&
        (registrationTypes.length === 0 ||
          (request.registrationType !== undefined && registrationTypes.includes(request.registrationType)));
    }
    case "sessionCase":
      return (request) => request.sessionCase === condition.sessionCase;
    case "requestUri": {
      const expression = lazy(condition.pattern);
      return (request, effort) => expression(effort)?.isFoundIn(request.requestUri, effort);
    }
    case "sipHeader":
      return sipHeader(condition.header, condition.content);
    case "sessionDescription":
      return sessionDescription(condition.line, condition.content);
  }
}

/** The name is an expression too (annex F), but nearly always a plain name. */
function sipHeader(header: string, content: string | undefined): Positive {
  const name = lazy(header.toLowerCase());
  const value = content === undefined ? undefined : lazy(content);
  const isPlain = /^[A-Za-z0-9-]+$/.test(header);
  const valuesOf = (request: EvaluatedRequest, effort: Effort): readonly string[] | undefined => {
    if (isPlain) return request.header(header);
    const expression = name(effort);
    if (expression === undefined) return undefined;
    const names = request.headerNames().filter((each) => expression.matches(each.toLowerCase(), effort));
    return [...new Set(names.map((each) => each.toLowerCase()))].flatMap((each) => request.header(each));
  };
  return (request, effort) => {
    const values = valuesOf(request, effort);
    if (values === undefined) return undefined;
    if (value === undefined) return values.length > 0;
    const expression = value(effort);
    return expression && values.some((each) => expression.isFoundIn(each, effort));
  };
}

/** `line` is the type of an SDP line, such as "m"; `content` what stands after its "=". */
function sessionDescription(line: string, content: string | undefined): Positive {
  const type = lazy(line);
  const value = content === undefined ? undefined : lazy(content);
  return ({ sdp }, effort) => {
    const typed = type(effort);
    const valued = value?.(effort);
    if (typed === undefined || (value !== undefined && valued === undefined)) return undefined;
    if (sdp === undefined) return false;
    return sdp.split(/\r?\n/).some((each) => {
      const equals = each.indexOf("=");
      if (equals < 1 || !typed.matches(each.slice(0, equals), effort)) return false;
      return valued === undefined || valued.isFoundIn(each.slice(equals + 1), effort);
    });
  };
}
