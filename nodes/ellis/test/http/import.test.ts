import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { test } from "node:test";
import { startEllis } from "../support/ellis-under-test.ts";

const PATH = "/staff/subscriber-import";
const HEAD = "impi,impu,password";

test("a CSV file is judged first: wrong rows are told by row and column, and nothing is applied", async (t) => {
  const { ask, staff, homestead, stateDir } = await startEllis(t);
  const [session, viewer] = [await staff("operator"), await staff("viewer")];
  const send = (body: string, dryRun: boolean, by = session) =>
    ask("POST", `${PATH}?dry_run=${dryRun}`, {
      ...{ session: by, body },
      headers: { "content-type": "text/csv" },
    });
  const good = [HEAD, "a@example.com,sip:a@example.com,secret one", "b@example.com,,secret two"].join("\n");
  const bad = `${good}\nc@example.com,sip:a@example.com,secret three\nnobody,mailto:x,secret four\nd@example.com,sip:d@example.com`;
  for (const dryRun of [true, false]) {
    const report = await send(bad, dryRun);
    assert.deepEqual(report.json, {
      ...{ rows: 5, applied: 0, unchanged: 0, wrong: 3 },
      errors: [
        { row: 4, column: "impu", impi: "c@example.com", error: "sip:a@example.com is in row 2 already" },
        { row: 5, column: "impi", impi: "nobody", error: "a private identity is user@realm" },
        { row: 5, column: "impu", impi: "nobody", error: "a public identity is a sip: or tel: URI" },
        { row: 6, impi: "d@example.com", error: "has 2 columns, the first row names 3" },
      ],
    });
    assert.doesNotMatch(report.text, /secret/);
    assert.equal(homestead.subscribers.size, 0);
  }
  const judged = await send(good, true);
  assert.deepEqual(judged.json, { rows: 2, applied: 0, unchanged: 0, wrong: 0, errors: [] });
  assert.equal(homestead.subscribers.size, 0);
  assert.equal((await send(good, false, viewer)).status, 403);
  assert.deepEqual((await send(good, false)).json, {
    rows: 2,
    applied: 2,
    unchanged: 0,
    wrong: 0,
    errors: [],
  });
  assert.equal(homestead.subscribers.size, 2);
  assert.deepEqual((await send(good, false)).json, {
    rows: 2,
    applied: 0,
    unchanged: 2,
    wrong: 0,
    errors: [],
  });
  const taken = await send(`${HEAD}\ne@example.com,sip:b@example.com,x\n`, false);
  assert.deepEqual(taken.json["errors"], [
    { row: 2, column: "impu", impi: "e@example.com", error: "sip:b@example.com belongs to b@example.com" },
  ]);
  assert.deepEqual(
    readdirSync(stateDir).filter((name) => name.startsWith("import-")),
    [],
  );
});

test("a file that is no such file is refused in clear words", async (t) => {
  const { ask, staff } = await startEllis(t, { importRows: 3 });
  const session = await staff("operator");
  const errorOf = async (body: string | Uint8Array<ArrayBuffer>): Promise<unknown> => {
    const { json, status, text } = await ask("POST", `${PATH}?dry_run=true`, {
      ...{ session, body, headers: { "content-type": "text/csv" } },
    });
    assert.equal(status, 200, text);
    return (json["errors"] as { row: number; error: string }[]).map(({ row, error }) => `${row}: ${error}`);
  };
  const known = "known: impi, impu, password, k, opc, op, amf, sqn, barred; separated by commas";
  assert.deepEqual(await errorOf(""), ["1: the file is empty; its first row names the columns"]);
  assert.deepEqual(await errorOf("impi;password\n"), [
    `1: the first row names the columns, and "impi;password" is none (${known})`,
  ]);
  assert.deepEqual(await errorOf("impi,impi\n"), ["1: the first row names impi twice"]);
  assert.deepEqual(await errorOf(`impi,password\n"a@b.c,x\n${"d@b.c,y\n".repeat(2_000)}`), [
    "2: is longer than 8192 characters; is a quotation mark missing?",
  ]);
  assert.deepEqual(await errorOf(`impi,password\na@b.c,x\nb@b.c,"x"y\nc@b.c,z\n`), [
    "3: has a quotation mark in the middle of a value; write it twice, and quote the value",
  ]);
  assert.deepEqual(await errorOf(`impi,password\n${[1, 2, 3, 4].map((n) => `a${n}@b.c,x\n`).join("")}`), [
    "5: the file has more than 3 rows; split it",
  ]);
  assert.deepEqual(await errorOf(new Uint8Array(1_000).fill(255)), [
    `1: the first row names the columns, and "${"?".repeat(60)}..." is none (${known})`,
  ]);
  const other = await ask("POST", PATH, { session, json: {} });
  assert.equal(other.status, 415);
});

test("a file of a gigabyte is refused before it is sent, or as soon as it is too much", async (t) => {
  const { url, staff, homestead, stateDir } = await startEllis(t, { importMegabytes: 1 });
  const session = await staff("operator");
  const reason =
    'The file is larger than 1 MiB; split it, or use "tidewater subscriber import", which takes any size. Nothing was written.';
  const row = Buffer.from(`impi,password\n${"somebody@example.com,secret\n".repeat(500)}`);
  for (const length of [1_073_741_824, undefined]) {
    let sent = 0;
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const sending = httpRequest(`${url}${PATH}`, {
        method: "POST",
        headers: {
          ...{ cookie: session, "content-type": "text/csv" },
          ...(length === undefined ? {} : { "content-length": length }),
        },
      });
      let answered = false;
      sending.on("response", (response) => {
        answered = true;
        let body = "";
        response.on("data", (piece) => (body += piece));
        response.on("end", () => {
          resolve({ status: response.statusCode, body });
          sending.destroy();
        });
      });
      sending.on("error", (error) => (answered ? undefined : reject(error)));
      const push = (): void => {
        if (answered || sending.destroyed || sent > 8_388_608) return;
        sent += row.length;
        if (sending.write(row)) setImmediate(push);
        else sending.once("drain", push);
      };
      if (length === undefined) push();
      else sending.flushHeaders();
    });
    assert.equal(answer.status, 413);
    assert.equal((JSON.parse(answer.body) as { reason: string }).reason, reason);
    assert.ok(sent < 8_388_608, String(sent));
  }
  assert.equal(homestead.subscribers.size, 0);
  assert.deepEqual(
    readdirSync(stateDir).filter((name) => name.startsWith("import-")),
    [],
  );
});

test("a homestead that goes away in the middle is told with what is written, and whoever stops sending changes nothing", async (t) => {
  const { ask, staff, homestead, url } = await startEllis(t);
  const session = await staff("operator");
  homestead.behave("fails");
  const headers = { "content-type": "text/csv" };
  const answer = await ask("POST", PATH, { session, headers, body: `${HEAD}\na@b.c,,x\n` });
  assert.equal(answer.status, 502);
  assert.match(String(answer.json["reason"]), /^homestead: .*; nothing was written$/);
  homestead.behave("none");
  await new Promise<void>((resolve) => {
    const sending = httpRequest(`${url}${PATH}`, {
      ...{ method: "POST", headers: { cookie: session, ...headers, "content-length": 1_000 } },
    });
    sending.on("error", () => resolve());
    sending.write(`${HEAD}\na@b.c,,x\n`, () => sending.destroy());
    sending.on("close", () => resolve());
  });
  const after = await ask("POST", PATH, { session, headers, body: `${HEAD}\nb@b.c,,x\n` });
  assert.ok(after.status === 200 || after.status === 409, after.text);
  assert.equal(homestead.subscribers.has("a@b.c"), false);
});
