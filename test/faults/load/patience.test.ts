import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { patience } from "./patience.ts";

/** The process gets no processor for so long. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((done) => setImmediate(done));
}

test("a UE has waited when it could have heard something for so long", async () => {
  await new Promise<void>((done) => {
    patience(250, done);
  });
});

test("the time in which it stood still itself does not count", async () => {
  let given = false;
  const waiting = patience(1_000, () => {
    given = true;
  });
  standStill(1_500);
  // A step counts once a turn of the loop, however late it is: nine are left.
  await turns(4);
  assert.equal(given, false);
  waiting.end();
});

test("what came while it stood still is read before it gives up", async (t) => {
  const { near, far } = await connection(t);
  const order: string[] = [];
  near.on("data", () => order.push("read"));
  const over = new Promise<void>((done) => {
    patience(50, () => {
      order.push("given up");
      done();
    });
  });
  // Over loopback it is in the socket when the write has returned.
  far.write("200");
  standStill(200);
  await over;
  assert.deepEqual(order, ["read", "given up"]);
});

test("what is ended is not given up, not even in the turn it was due in", async () => {
  let given = false;
  const waiting = patience(20, () => {
    given = true;
  });
  standStill(60);
  await new Promise<void>((done) => {
    setTimeout(() => {
      waiting.end();
      done();
    }, 0);
  });
  await turns(3);
  assert.equal(given, false);
});

async function connection(t: TestContext): Promise<{ near: Socket; far: Socket }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const near = connect(address.port, "127.0.0.1");
  const [far] = (await once(server, "connection")) as [Socket];
  if (near.connecting) await once(near, "connect");
  t.after(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far };
}
