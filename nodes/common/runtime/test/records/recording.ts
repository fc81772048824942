import { FileSeries, JsonLinesFiles, metricsRegister, RecordStream, systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";

/** A process of its own that writes so many records to files of a folder, and says how it stands when it is asked: full-disk.test.ts. */
const [folder = "", count = "0", most = "0"] = process.argv.slice(2);
const clock = systemClock();
const register = metricsRegister();
const files = new FileSeries({ folder, prefix: "x", maxBytes: 1e9, maxSeconds: 3_600 }, clock);
const stream = new RecordStream<{ readonly n: number; readonly text: string }>(
  { what: "events", metricsPrefix: "ims_test_events", problemId: "TW-0", maxQueued: Number(most) },
  { sink: new JsonLinesFiles(files), clock, log: memoryLogger("silent"), register },
);
stream.start();
for (let n = 0; n < Number(count); n++) stream.offer({ n, text: "ü".repeat(20) });
process.on("message", async (question) => {
  if (question === "end") {
    await stream.stop();
    process.disconnect();
    return;
  }
  const text = await register.scrape();
  const metric = (name: string): number =>
    Number(new RegExp(`^ims_test_events_${name} (\\d+)$`, "m").exec(text)?.[1]);
  process.send?.({
    ...{ queued: metric("queued"), written: metric("written_total"), dropped: metric("dropped_total") },
    problem: stream.problem ?? "",
  });
});
