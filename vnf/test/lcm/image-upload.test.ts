import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ImageUpload, uploadImage } from "../../src/lcm/image-upload.ts";
import { startLab } from "../../testing/lab.ts";

function imageFile(t: { after(work: () => void): void }, content: Buffer): ImageUpload {
  const folder = mkdtempSync(join(tmpdir(), "image-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "ims.qcow2");
  writeFileSync(file, content);
  return { file, name: "ims", minDiskGiB: 10, minRamMiB: 2048 };
}

const QCOW2 = Buffer.concat([Buffer.from("QFI\u00fb", "latin1"), Buffer.alloc(300_000, 7)]);

test("an image is uploaded with its progress, and not a second time", async (t) => {
  const { glance, run, cloud, lines } = await startLab(t);
  const upload = imageFile(t, QCOW2);
  const first = await uploadImage(glance, upload, run);
  assert.match(first.kind === "done" ? first.said : "", /^ims is uploaded \(.*\), qcow2, 300004 bytes$/);
  assert.ok(lines.some((line) => /^\d0 % of 300004 bytes$/.test(line)));
  const again = await uploadImage(glance, upload, run);
  assert.match(again.kind === "done" && !again.changed ? again.said : "", /there already .* same content/);
  assert.equal(cloud.images.filter(({ name }) => name === "ims").length, 1);
});

test("for a bar the amount is told with each piece, and no lines beside it", async (t) => {
  const { glance, run, lines } = await startLab(t);
  const told: number[] = [];
  const amount = (what: string, done: number, total: number): void => {
    assert.deepEqual([what, total], ["uploaded, bytes", 300_004]);
    told.push(done);
  };
  assert.equal((await uploadImage(glance, imageFile(t, QCOW2), { ...run, amount })).kind, "done");
  assert.ok(told.length > 1, "several pieces");
  assert.equal(told.at(-1), 300_004);
  assert.ok(!lines.some((line) => line.includes("%")));
});

test("an upload that breaks off leaves no record behind; one that another run left is replaced", async (t) => {
  const { glance, run, cloud } = await startLab(t);
  const upload = imageFile(t, QCOW2);
  for (const status of [0, 500, 413]) {
    cloud.faults.push({ on: /^PUT \/glance/, status });
    const outcome = await uploadImage(glance, upload, run);
    assert.match(outcome.kind === "failed" ? outcome.next.join() : "", /nothing is left behind/);
    assert.equal(cloud.images.filter(({ name }) => name === "ims").length, 0);
  }
  const properties = { tidewater_sha512: "of another file" };
  cloud.images.push({ id: "half", name: "ims", status: "queued", size: 0, digest: "", properties });
  assert.equal((await uploadImage(glance, upload, run)).kind, "done");
  assert.deepEqual(
    cloud.images.filter(({ name }) => name === "ims").map(({ status }) => status),
    ["active"],
  );
});

test("a half-done record of somebody else is left alone: refused, with its id and what to do", async (t) => {
  const { glance, run, cloud } = await startLab(t);
  const upload = imageFile(t, QCOW2);
  const half = { id: "half", name: "ims", status: "queued", size: 0, digest: "" };
  const properties = { tidewater_sha512: "00" };
  for (const [image, why] of [
    [half, /an image ims \(half\) .* this program has not begun it$/],
    [{ ...half, owner: "another", properties }, /an image ims \(half\) .* belongs to project another$/],
  ] as const) {
    cloud.images.push(image);
    const outcome = await uploadImage(glance, upload, run);
    assert.ok(outcome.kind === "failed");
    assert.match(outcome.reason, why);
    assert.match(outcome.next.join(), /another name: --name ims-[0-9a-f]{8},.*openstack image delete half/);
    assert.deepEqual(cloud.images.splice(2), [image]);
  }
  assert.ok(!cloud.requests.some((one) => one.startsWith("DELETE /glance")));
});

test("an image makes Nova wait longer for a guest than any unit of it takes to stop", async (t) => {
  const { glance, run, cloud } = await startLab(t);
  assert.equal((await uploadImage(glance, imageFile(t, QCOW2), run)).kind, "done");
  const waits = Number(cloud.images.at(-1)?.properties?.["os_shutdown_timeout"]);
  const units = join(import.meta.dirname, "../../../images/files/etc/systemd/system");
  const stops = readdirSync(units)
    .filter((name) => name.endsWith(".service"))
    .map((name) => Number(/^TimeoutStopSec=(\d+)$/m.exec(readFileSync(join(units, name), "utf8"))?.[1] ?? 0));
  assert.ok(Math.max(...stops) >= 330, "a vellum hands over its records");
  assert.ok(waits > Math.max(...stops), `${waits} s`);
});

test("another image under that name, a wrong digest, a file that is none: refused, nothing is made", async (t) => {
  const { glance, run, cloud } = await startLab(t);
  const upload = imageFile(t, QCOW2);
  const refused = async (wrong: Partial<ImageUpload>): Promise<string> => {
    const outcome = await uploadImage(glance, { ...upload, ...wrong }, run);
    assert.equal(outcome.kind, "failed");
    return outcome.kind === "failed" ? outcome.reason : "";
  };
  assert.match(await refused({ name: "tidewater" }), /there is an image tidewater .* with other content/);
  assert.match(await refused({ sha512: "0".repeat(128) }), /is not the file it should be/);
  assert.match(await refused({ file: "/nonexistent" }), /there is no such file/);
  assert.match(await refused({ file: "/" }), /is no file/);
  assert.match(await refused({ file: imageFile(t, Buffer.alloc(5)).file }), /that is no image/);
  assert.equal(cloud.images.length, 2);
});
