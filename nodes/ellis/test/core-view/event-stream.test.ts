import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream } from "../../src/core-view/event-stream.ts";

test("after the last event nothing more is told, be the reader behind or not", async () => {
  for (const waiting of ["", "x".repeat(100_000)]) {
    const stream = new EventStream();
    stream.tell("ladders", waiting);
    stream.tell("ladders", "kept");
    stream.finish("end", '"over"');
    stream.tell("ladders", "late");
    stream.beat();
    let text = "";
    for await (const part of stream) text += String(part);
    assert.ok(text.endsWith('event: end\ndata: "over"\n\n'));
    assert.doesNotMatch(text, /late/);
  }
});
