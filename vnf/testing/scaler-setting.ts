import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openHttp } from "../src/openstack/http.ts";
import { queryPrometheus } from "../src/scaler/prometheus.ts";
import { Scaler, type ScalerModules } from "../src/scaler/scaler.ts";
import { readScalerConfig } from "../src/scaler/scaler-config.ts";
import { StateFile } from "../src/scaler/scaler-state.ts";
import { openWebhook } from "../src/scaler/webhook-server.ts";
import { type Lab, small, startLab } from "./lab.ts";

export const SECRET = "0123456789abcdef";
const CONFIG = `version: 1
vnf: ims
prometheus: { url: "http://replaced" }
pools:
  sprout:
    min: 7
    max: 15
    samples: 2
    signals:
      load: { query: "avg(load)", out: 0.7, in: 0.3 }
      answer-p99: { query: "p99", out: 0.25, in: 0.1 }
  bono: { min: 7, max: 11 }
`;

export interface Setting extends Lab {
  readonly scaler: Scaler;
  readonly state: StateFile;
  readonly path: string;
  readonly values: Map<string, string>;
  readonly url: string;
  readonly log: string[];
  again(more?: Partial<ScalerModules>): Scaler;
}

/** A scaler on a fake cloud, a Prometheus that answers what `values` says, and the webhook's server. */
export async function setUp(t: TestContext, dryRun = false): Promise<Setting> {
  const lab = await startLab(t);
  assert.equal((await lab.driver.instantiate("ims", small(), lab.run)).kind, "done");
  const folder = mkdtempSync(join(tmpdir(), "scaler-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const values = new Map<string, string>();
  const prometheus = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      const value = values.get(new URLSearchParams(body).get("query") ?? "");
      const result = value === undefined ? [] : [{ metric: {}, value: [1, value] }];
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ status: "success", data: { resultType: "vector", result } }));
    });
  });
  await new Promise<void>((resolve) => prometheus.listen(0, "127.0.0.1", resolve));
  const http = openHttp({ verify: true });
  t.after(async () => {
    await http.close();
    prometheus.closeAllConnections();
    prometheus.close();
  });
  const at = { url: `http://127.0.0.1:${(prometheus.address() as AddressInfo).port}` };
  const reading = readScalerConfig(CONFIG, "scaler.yaml");
  assert.ok(reading.kind === "config");
  const path = join(folder, "scaler.json");
  const state = new StateFile(path);
  const log: string[] = [];
  const again: Setting["again"] = (more = {}) => {
    const remembered = state.read("ims");
    assert.ok(remembered.kind === "state");
    return new Scaler(
      {
        config: reading.config,
        driver: lab.driver,
        model: lab.model,
        pace: lab.pace,
        state,
        query: (promql) => queryPrometheus(http, at, promql),
        log: (line) => log.push(line),
        dryRun,
        timeoutMs: 600_000,
        ...more,
      },
      remembered.state,
    );
  };
  const scaler = again();
  const server = await openWebhook({
    address: "127.0.0.1",
    port: 0,
    secret: SECRET,
    vnf: "ims",
    onWish: (wish) => scaler.wish(wish),
    log: (line) => log.push(line),
  });
  t.after(() => server.close());
  return { ...lab, scaler, state, path, values, log, again, url: `http://127.0.0.1:${server.port}` };
}

export const sizeOf = ({ cloud }: Lab, pool = "sprout"): string | undefined =>
  cloud.stacks.get("ims")?.parameters.get(`${pool}_count`);

export const alert = (type: string, more: object = {}, status = "firing"): string =>
  JSON.stringify({
    version: "4",
    groupKey: "{}",
    status,
    receiver: "tidewater",
    alerts: [
      {
        status,
        labels: {
          alertname: "SproutSlow",
          function_type: "auto_scale",
          auto_scale_type: type,
          aspect_id: "sprout",
          ...more,
        },
        annotations: {},
        startsAt: "2026-11-21T10:00:00Z",
      },
    ],
  });

export const post = (url: string, body: string, token = SECRET): Promise<Response> =>
  fetch(url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
  });
