import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { establish, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

const ALICE = "sip:6505550000@example.com";
const BOB = "sip:6505550001@example.com";

interface Shown {
  readonly exchanges: readonly {
    readonly method: string;
    readonly outcome: string;
    readonly callIds: readonly string[];
    readonly rungs: readonly {
      readonly kind: string;
      readonly from?: string;
      readonly to?: string;
      readonly step: { readonly title: string; readonly kind: string; readonly text?: string };
    }[];
  }[];
}

let core: CoreUnderTest;
before(async () => {
  core = await launchCore({ args: ["--set", "homestead.log-level=debug"] });
});
after(() => core.stop());

async function trail(
  key: string,
  ...more: string[]
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return core.tidewater(["trail", key, "--host", core.host, ...more]);
}

async function json(key: string, ...more: string[]): Promise<Shown> {
  const { exitCode, stdout, stderr } = await trail(key, "--json", ...more);
  assert.equal(exitCode, 0, stderr);
  return JSON.parse(stdout) as Shown;
}

/** "from > to what" of each message. */
function messages({ rungs }: Shown["exchanges"][number]): string[] {
  return rungs.flatMap(({ kind, from, to, step }) =>
    kind === "message" ? [`${side(from)} > ${side(to)} ${step.title.split(" ").slice(0, 1).join()}`] : [],
  );
}

function side(name = ""): string {
  return /^[0-9.]+:[0-9]+$/.test(name) ? "UE" : name;
}

test("the ladder of a registration: SIP and Cx at all nodes, in order of time, and no secret anywhere", async (t) => {
  const secrets: string[] = [];
  const password = "wrong-horse-battery";
  const sent = (header: string | undefined): void => {
    for (const [, response = ""] of (header ?? "").matchAll(/(?:response|cnonce|nonce)="([^"]+)"/g))
      secrets.push(response);
  };
  for (const user of [{ user: "6505550000" }, { user: "6505550000", password }]) {
    const ue = await SipUe.open(t, core, user);
    const challenge = await ue.register({ rounds: 0 });
    sent(challenge.header("WWW-Authenticate"));
    await ue.register({ edit: (request) => sent(request.header("Authorization")) });
  }
  assert.ok(secrets.length >= 4, secrets.join());
  for (const known of ["secret", password])
    secrets.push(createHash("md5").update(`6505550000@example.com:example.com:${known}`).digest("hex"));

  const shown = await json(ALICE, "--text", "--last", "20");
  const registered = shown.exchanges.find(({ outcome }) => outcome === "200 OK");
  assert.ok(registered);
  const seen = messages(registered);
  const order = [
    "UE > bono REGISTER",
    "bono > sprout REGISTER",
    "sprout > homestead UAR",
    "homestead > sprout UAA",
    "sprout > homestead MAR",
    "homestead > sprout MAA",
    "sprout > bono 401",
    "bono > UE 401",
    "sprout > homestead SAR",
    "homestead > sprout SAA",
    "sprout > bono 200",
    "bono > UE 200",
  ];
  let at = -1;
  for (const message of order) {
    const next = seen.indexOf(message, at + 1);
    assert.ok(next > at, `${message} after ${seen[at]} in\n${seen.join("\n")}`);
    at = next;
  }
  const decisions = registered.rungs
    .filter(({ step }) => step.kind === "decision")
    .map(({ step }) => step.title);
  assert.ok(
    decisions.some((title) => /^S-CSCF: .*impi 6505550000@example\.com/.test(title)),
    decisions.join("\n"),
  );
  assert.ok(
    decisions.some((title) => /^hop: .*from I-CSCF, to S-CSCF/.test(title)),
    decisions.join("\n"),
  );
  const failed = shown.exchanges.filter(({ outcome }) => outcome !== "200 OK");
  assert.ok(failed.length > 0, "the wrong password");

  const said = [JSON.stringify(shown), (await trail("6505550000", "--text")).stdout, core.output()];
  for (const secret of secrets)
    for (const text of said) assert.ok(!text.includes(secret), `${secret} in ${text}`);
  assert.match(said[0] ?? "", /nonce=\\"#[0-9a-f]{8}\\"/);
});

test("the ladder of a call: found by Call-ID and by number, from one phone to the other", async (t) => {
  const alice = await SipUe.open(t, core, { user: "6505550000" });
  const bob = await SipUe.open(t, core, { user: "6505550001" });
  assert.equal((await alice.register()).status, 200);
  assert.equal((await bob.register()).status, 200);
  const call = await establish(alice, bob, BOB);
  alice.send(call.inDialog("caller", "BYE"));
  reply(bob, await bob.incoming("BYE"), 200);
  assert.equal((await alice.final("BYE")).status, 200);

  const [only, ...others] = (await json(call.received.callId)).exchanges;
  assert.ok(only);
  assert.deepEqual([only.method, only.outcome, others.length], ["INVITE", "200 OK", 0]);
  const seen = messages(only);
  for (const message of [
    "UE > bono INVITE",
    "bono > sprout INVITE",
    "sprout > bono INVITE",
    "bono > UE INVITE",
    "UE > bono 200",
    "bono > sprout ACK",
    "bono > UE BYE",
  ])
    assert.ok(seen.includes(message), `${message} in\n${seen.join("\n")}`);
  assert.ok(seen.indexOf("bono > sprout INVITE") < seen.indexOf("sprout > bono INVITE"));

  const byNumber = await trail("6505550001", "--last", "1");
  assert.equal(byNumber.exitCode, 0, byNumber.stderr);
  assert.match(
    byNumber.stdout,
    /^INVITE sip:6505550000@example\.com to sip:6505550001@example\.com: 200 OK\n/,
  );
  assert.match(byNumber.stdout, /^ +s +[0-9.:]+ +[0-9.:]+ +bono +sprout/m);
  assert.match(byNumber.stdout, /\|-+ INVITE -+>\|/);
});

test("nobody, a key that is none, a core that does not run: one line and exit code 1 or 2", async () => {
  const nobody = await trail("<script>@example.com");
  assert.equal(nobody.exitCode, 1);
  assert.match(
    nobody.stderr,
    /^tidewater: nothing is known of <script>@example\.com: what is kept begins at 20/,
  );
  const long = await trail("x".repeat(400));
  assert.deepEqual([long.exitCode, /300 characters/.test(long.stderr)], [1, true], long.stderr);
  const none = await core.tidewater(["trail", "x", "--host", "127.255.255.254"]);
  assert.equal(none.exitCode, 1);
  assert.match(
    none.stderr,
    /^(tidewater: (bono|sprout|homestead) does not answer at .*\n){3}tidewater: nothing is known of x: nothing is kept\n$/,
  );
  assert.equal((await core.tidewater(["trail", "x", "--node", "bono"])).exitCode, 2);
  assert.equal((await core.tidewater(["trail"])).exitCode, 2);
});
