import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { testAuthority } from "@ims/runtime/testing";
import { linkMachines, Machine, pause, until, whyNoIpsec } from "./machine.ts";

const MARK = "REGISTER sip:in-the-clear SIP/2.0";
/** dumpcap has taken by then what has passed. */
const CAPTURED_MS = 600;
const skip = whyNoIpsec() ?? false;

/** Answers every text with itself. */
const SERVER = `require("node:net").createServer((socket) => { socket.on("error", () => {}); socket.pipe(socket); })
  .listen(5054, process.argv[1], () => console.log("listening"))`;
const CLIENT = `const socket = require("node:net").connect(5054, process.argv[1], () => socket.write(process.argv[2]));
  socket.on("data", (data) => { process.stdout.write(data); socket.destroy(); });
  socket.on("error", (error) => process.stdout.write(error.code));
  socket.setTimeout(3000, () => { process.stdout.write("silence"); socket.destroy(); });`;

describe("IPsec between two regions", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "ipsec-"));
  const one = new Machine("10.1.0.1", mkdtempSync(join(folder, "one-")));
  const other = new Machine("10.2.0.1", mkdtempSync(join(folder, "other-")));

  before(async () => {
    linkMachines(one, other);
    const server = other.spawn(process.execPath, ["-e", SERVER, other.address]);
    await new Promise((resolve) => server.stdout?.once("data", resolve));
  });
  after(async () => {
    await Promise.all([one.stop(), other.stop()]);
    for (const machine of [one, other]) machine.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function say(text: string): Promise<string> {
    const client = one.spawn(process.execPath, ["-e", CLIENT, other.address, text]);
    let got = "";
    client.stdout?.on("data", (data: Buffer) => (got += data.toString()));
    await new Promise((resolve) => client.once("close", resolve));
    return got;
  }

  /** What the link has seen while something was said. */
  async function wire(work: () => Promise<void>): Promise<string> {
    const file = join(folder, `${Date.now()}.pcapng`);
    const capture = await other.capture(file);
    await work();
    await pause(CAPTURED_MS);
    const done = new Promise((resolve) => capture.once("close", resolve));
    capture.kill("SIGINT");
    await done;
    return readFileSync(file, "latin1");
  }

  test("TS 33.210 §5.3: strongSwan takes the shipped configuration; what machines of two regions say is not to be read on the way", async (t) => {
    assert.ok((await wire(async () => assert.equal(await say(MARK), MARK))).includes(MARK), "before");
    const authority = testAuthority(t);
    await one.start(authority.issue({ names: `IP:${one.address}` }), other.address);
    await other.start(authority.issue({ names: `IP:${other.address}` }), one.address);
    await until("a tunnel", () => one.isProtected() && other.isProtected()).catch((error: Error) => {
      throw new Error(`${error.message}\n${one.log.slice(-3000)}\n${other.log.slice(-3000)}`);
    });
    const seen = await wire(async () => assert.equal(await say(MARK), MARK));
    assert.ok(seen.length > 1_000, `${seen.length} octets`);
    assert.ok(!seen.includes(MARK));
  });

  test("to a machine whose certificate is of somebody else nothing is said, neither through a tunnel nor in the clear", async (t) => {
    await other.stop();
    await other.start(testAuthority(t).issue({ names: `IP:${other.address}` }), one.address);
    const seen = await wire(async () => assert.notEqual(await say(MARK), MARK));
    assert.ok(!seen.includes(MARK));
    assert.equal(one.isProtected(), false);
    assert.match(one.log + other.log, /no trusted|AUTH_FAILED/);
  });
});
