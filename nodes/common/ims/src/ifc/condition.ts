import { compileExtendedRegularExpression } from "../regular-expression/extended.ts";
import type { Condition, EvaluatedRequest } from "./evaluated-request.ts";
import type { ServicePointTrigger, TriggerCondition } from "./initial-filter-criteria.ts";

/** One service point trigger: TS 29.228 §B.2.3. */
export function compileCondition({ condition, negated }: ServicePointTrigger): Condition {
  const holds = compilePositive(condition);
  if (holds === undefined) return () => false;
  return negated ? (request) => !holds(request) : holds;
}

/** Undefined when an expression of it is malformed. */
function compilePositive(condition: TriggerCondition): Condition | undefined {
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
      const expression = compileExtendedRegularExpression(condition.pattern);
      return expression && ((request) => expression.isFoundIn(request.requestUri));
    }
    case "sipHeader":
      return sipHeader(condition.header, condition.content);
    case "sessionDescription":
      return sessionDescription(condition.line, condition.content);
  }
}

/** The name is an expression too (annex F), but nearly always a plain name. */
function sipHeader(header: string, content: string | undefined): Condition | undefined {
  const name = compileExtendedRegularExpression(header.toLowerCase());
  const value = content === undefined ? undefined : compileExtendedRegularExpression(content);
  if (name === undefined || (content !== undefined && value === undefined)) return undefined;
  const isPlain = /^[A-Za-z0-9-]+$/.test(header);
  const valuesOf = (request: EvaluatedRequest): readonly string[] => {
    if (isPlain) return request.header(header);
    const names = request.headerNames().filter((each) => name.matches(each.toLowerCase()));
    return names.flatMap((each) => request.header(each));
  };
  return (request) => {
    const values = valuesOf(request);
    return value === undefined ? values.length > 0 : values.some((each) => value.isFoundIn(each));
  };
}

/** `line` is the type of an SDP line, such as "m"; `content` what stands after its "=". */
function sessionDescription(line: string, content: string | undefined): Condition | undefined {
  const type = compileExtendedRegularExpression(line);
  const value = content === undefined ? undefined : compileExtendedRegularExpression(content);
  if (type === undefined || (content !== undefined && value === undefined)) return undefined;
  return ({ sdp }) => {
    if (sdp === undefined) return false;
    return sdp.split(/\r?\n/).some((each) => {
      const equals = each.indexOf("=");
      if (equals < 1 || !type.matches(each.slice(0, equals))) return false;
      return value === undefined || value.isFoundIn(each.slice(equals + 1));
    });
  };
}
