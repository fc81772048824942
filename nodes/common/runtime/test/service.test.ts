import assert from "node:assert/strict";
import { test } from "node:test";
import { composeServices, type Service, startInOrder, stopInReverse } from "@ims/runtime";

function recorder(events: string[], failing: string[] = []): (name: string) => Service {
  const note = (event: string): void => {
    events.push(event);
    if (failing.includes(event)) throw new Error(event);
  };
  return (name) => ({
    start: async () => note(`start ${name}`),
    quiesce: async () => note(`quiesce ${name}`),
    stop: async () => note(`stop ${name}`),
    ports: () => ({ [name]: 1 }),
  });
}

test("services start in order and stop in reverse", async () => {
  const events: string[] = [];
  const service = composeServices(["a", "b"].map(recorder(events)));
  await service.start();
  await service.quiesce(new AbortController().signal);
  await service.stop();
  assert.deepEqual(events, ["start a", "start b", "quiesce a", "quiesce b", "stop b", "stop a"]);
  assert.deepEqual(service.ports?.(), { a: 1, b: 1 });
});

test("when one cannot start, it and those before it are stopped and its error is thrown", async () => {
  const events: string[] = [];
  const services = ["a", "b", "c"].map(recorder(events, ["start b", "stop a"]));
  await assert.rejects(startInOrder(services), { message: "start b" });
  assert.deepEqual(events, ["start a", "start b", "stop b", "stop a"]);
});

test("one that cannot stop does not keep the others from stopping", async () => {
  const events: string[] = [];
  await assert.rejects(stopInReverse(["a", "b", "c"].map(recorder(events, ["stop b", "stop c"]))), {
    message: "stop c",
  });
  assert.deepEqual(events, ["stop c", "stop b", "stop a"]);
});
