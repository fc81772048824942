import { z } from "zod";
import { OpenStackError } from "../openstack/errors.ts";
import type { Http } from "../openstack/http.ts";

const value = z.tuple([z.number(), z.string()]);
const answer = z.object({
  status: z.literal("success"),
  data: z.discriminatedUnion("resultType", [
    z.object({ resultType: z.literal("scalar"), result: value }),
    z.object({ resultType: z.literal("vector"), result: z.array(z.object({ value })) }),
  ]),
});

export type Sample =
  | { readonly kind: "value"; readonly value: number }
  | { readonly kind: "none"; readonly why: string };

export interface PrometheusOptions {
  readonly url: string;
  readonly token?: string;
}

/** One instant query of Prometheus' HTTP API; anything but one finite number is no value. */
export async function queryPrometheus(
  http: Http,
  { url, token }: PrometheusOptions,
  query: string,
  signal?: AbortSignal,
): Promise<Sample> {
  try {
    const { status, text } = await http.send({
      service: "prometheus",
      method: "POST",
      url: `${url.replace(/\/+$/, "")}/api/v1/query`,
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: new URLSearchParams({ query }).toString(),
      timeoutMs: 10_000,
      ...(signal === undefined ? {} : { signal }),
    });
    const document = jsonOf(text);
    if (status !== 200) return none(`prometheus answers ${status}: ${errorIn(document)}`);
    const parsed = answer.safeParse(document);
    if (!parsed.success) return none("the answer is not a scalar or vector");
    const { data } = parsed.data;
    if (data.resultType === "vector" && data.result.length !== 1)
      return none(
        data.result.length === 0
          ? "there are no such series"
          : `${data.result.length} series; aggregate them to one`,
      );
    const number = Number(data.resultType === "scalar" ? data.result[1] : data.result[0]?.value[1]);
    return Number.isFinite(number) ? { kind: "value", value: number } : none("no finite number");
  } catch (error) {
    if (!(error instanceof OpenStackError)) throw error;
    return none(error.message);
  }
}

function none(why: string): Sample {
  return { kind: "none", why };
}

function errorIn(document: unknown): string {
  const parsed = z.object({ error: z.string() }).safeParse(document);
  return parsed.success ? parsed.data.error.slice(0, 300) : "no reason given";
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
