import type { Indicator } from "../sol001/vnfd-facts.ts";
import { askMember, type Member } from "./member.ts";

const TIMEOUT_MS = 3000;

/** The value of an indicator now; undefined: no member that has it answers. */
export async function indicatorValue(
  indicator: Indicator,
  members: readonly Member[],
): Promise<number | undefined> {
  if (indicator.of === "ready") {
    if (members.length === 0) return undefined;
    const answers = await Promise.all(
      members.map((member) => askMember(member, "/health/ready", TIMEOUT_MS)),
    );
    return answers.filter((answer) => answer?.status === 200).length / members.length;
  }
  const pool = members.filter((member) => member.pool === indicator.pool);
  const answers = await Promise.all(pool.map((member) => askMember(member, "/metrics", TIMEOUT_MS)));
  const values = answers.flatMap((answer) =>
    answer?.status === 200 ? metricValues(answer.text, indicator.metric) : [],
  );
  if (values.length === 0) return undefined;
  return indicator.of === "sum" ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
}

/** All samples of a metric in Prometheus' text format. */
export function metricValues(text: string, metric: string): number[] {
  return text.split("\n").flatMap((line) => {
    if (!line.startsWith(metric)) return [];
    const [, value] = /^(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?\s+(\S+)/.exec(line.slice(metric.length)) ?? [];
    const number = Number(value);
    return value === undefined || Number.isNaN(number) ? [] : [number];
  });
}
