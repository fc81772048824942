import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type AnalyticsEvent, analyticsEventSchema } from "@ims/sprout";
import { establish, reply } from "../support/call-flow.ts";
import { startCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

const ROOT = join(import.meta.dirname, "../..");

/** Series of a node, by name and labels as they are written. */
async function scrape(host: string, port: number): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://${host}:${port}/metrics`)).text();
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    samples.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

/** Sum of the series of a metric whose labels hold all of these. */
function sumOf(samples: ReadonlyMap<string, number>, name: string, ...labels: readonly string[]): number {
  let sum = 0;
  for (const [series, value] of samples)
    if (series.split("{", 1)[0] === name && labels.every((label) => series.includes(label))) sum += value;
  return sum;
}

/** Events in the files of a directory, finished or not. */
function eventsIn(folder: string): AnalyticsEvent[] {
  const texts = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), "utf8"));
  return texts.flatMap((text) =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => analyticsEventSchema.parse(JSON.parse(line))),
  );
}

test("TS 32.409: registrations and a call are in the metrics of every node, all of them documented, and in the analytics files", {
  timeout: 120_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "analytics-e2e-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const core = await startCore(t, {
    args: ["--no-examples", "--set", `sprout.analytics-dir=${folder}`],
  });
  for (const user of ["dora", "emil"])
    await core.addSubscriber({
      impi: `${user}@example.com`,
      impus: [`sip:${user}@example.com`],
      password: "secret",
    });
  const dora = await SipUe.open(t, core, { user: "dora" });
  const emil = await SipUe.open(t, core, { user: "emil" });
  for (const ue of [dora, emil]) assert.equal((await ue.register()).status, 200);
  const call = await establish(dora, emil, "sip:emil@example.com");
  const during = await scrape(core.host, 9101);
  dora.send(call.inDialog("caller", "BYE"));
  reply(emil, await emil.incoming("BYE"), 200);
  assert.equal((await dora.final("BYE")).status, 200);

  const [bono, sprout, homestead] = await Promise.all(
    [9101, 9102, 9103].map((port) => scrape(core.host, port)),
  );
  assert.ok(bono && sprout && homestead);
  assert.deepEqual(
    [during.get("ims_bono_calls"), bono.get("ims_bono_calls"), bono.get("ims_bono_registered_sets")],
    [1, 0, 2],
  );
  for (const stage of ["ringing", "answered"])
    assert.equal(sumOf(bono, "ims_bono_sip_call_setup_seconds_count", 'side="access"', `"${stage}"`), 1);
  assert.equal(sumOf(bono, "ims_bono_sip_request_seconds_count", 'method="REGISTER"', 'side="access"'), 4);
  const initial = 'procedure="initialRegistration"';
  assert.equal(sumOf(sprout, "ims_sprout_procedure_attempts_total", initial), 2);
  assert.equal(sumOf(sprout, "ims_sprout_procedure_successes_total", initial), 2);
  assert.equal(sumOf(sprout, "ims_sprout_procedure_seconds_count", initial), 2);
  assert.equal(sumOf(sprout, "ims_sprout_procedure_successes_total", 'procedure="session"'), 2);
  assert.equal(sumOf(sprout, "ims_sprout_sessions_answered_total"), 2);
  assert.equal(sumOf(sprout, "ims_sprout_procedure_failures_total"), 0);
  const mar = ['command="MAR"', 'result="DIAMETER_SUCCESS"'];
  assert.equal(sumOf(sprout, "ims_sprout_diameter_results_received_total", ...mar), 2);
  assert.equal(sumOf(homestead, "ims_diameter_results_sent_total", ...mar), 2);
  assert.equal(sumOf(sprout, "ims_sprout_diameter_request_seconds_count", 'command="SAR"'), 2);
  assert.ok(sumOf(homestead, "ims_diameter_service_seconds_count", 'command="UAR"') >= 2);

  // What a running core shows is on the page, whatever put the name together.
  const page = readFileSync(join(ROOT, "docs/operations/metrics.md"), "utf8");
  const documented = new Set(page.match(/\b(?:ims|process|nodejs)_[a-z0-9_<>]+/g));
  const unknown = new Set<string>();
  for (const series of [bono, sprout, homestead].flatMap((samples) => [...samples.keys()])) {
    const name = (series.split("{", 1)[0] ?? "").replace(/_(?:bucket|sum|count)$/, "");
    const general = name
      .replace(/^ims_diameter_/, "ims_<node>_diameter_")
      .replace(/^ims_[a-z]+_/, "ims_<node>_");
    if (!documented.has(name) && !documented.has(general)) unknown.add(name);
  }
  assert.deepEqual([...unknown], []);

  let events = eventsIn(folder);
  for (const end = Date.now() + 5_000; events.length < 5 && Date.now() < end; events = eventsIn(folder))
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(
    events.map(({ event, role }) => `${event} ${role ?? ""}`.trim()),
    [
      ...["registered", "registered"],
      ...["callAnswered terminating", "callAnswered originating", "callEnded"],
    ],
  );
  assert.equal(new Set(events.map(({ id }) => id)).size, 5);
  const [, , terminating, originating, ended] = events;
  assert.equal(terminating?.icid, originating?.icid);
  assert.equal(ended?.callId, originating?.callId);
  assert.ok((ended?.duration ?? -1) >= 0 && (originating?.took ?? -1) >= (originating?.ringing ?? 0));
});
