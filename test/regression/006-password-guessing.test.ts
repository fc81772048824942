import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type CoreUnderTest, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";

let core: CoreUnderTest;
before(async () => {
  core = await launchCore();
});
after(() => core.stop());

/** How many wrong answers in a row the core looks at, out of 40; `decoy` adds what may hide whose they are. */
async function looked(ue: SipUe, decoy: (round: number) => readonly string[]): Promise<number> {
  let refused = 0;
  for (let round = 0; round < 40; round++) {
    const challenge = await ue.register({ rounds: 0 });
    assert.equal(challenge.status, 401);
    const guess = ue.answer(challenge.header("WWW-Authenticate") ?? "", "REGISTER", "sip:example.com");
    const answer = await ue.register({
      rounds: 0,
      edit: (request) => {
        request.set("Authorization", guess);
        for (const line of decoy(round)) request.append("Authorization", line);
      },
    });
    if (answer.status === 503 || answer.status === 400) return refused;
    refused++;
  }
  return refused;
}

test("who guesses a password is slowed down after ten tries", async (t) => {
  const ue = await SipUe.open(t, core, { user: "6505550000", password: "wrong", address: "127.0.0.61" });
  assert.ok((await looked(ue, () => [])) <= 10);
});

test("credentials of several users in one REGISTER do not hide whose password is guessed", async (t) => {
  const ue = await SipUe.open(t, core, { user: "6505550000", password: "wrong", address: "127.0.0.62" });
  const tries = await looked(ue, (round) => [
    `Digest username="nobody${round}@example.com", realm="example.com", nonce="n", uri="sip:example.com", response="0"`,
  ]);
  assert.ok(tries <= 10, `${tries} guesses`);
});

test("another spelling of the private identity is no other user", async (t) => {
  const ue = await SipUe.open(t, core, { user: "6505550000", password: "wrong", address: "127.0.0.63" });
  let answered = 0;
  for (let round = 0; round < 40; round++) {
    const domain = Array.from("example.com", (char, at) =>
      (round >> at) & 1 ? char.toUpperCase() : char,
    ).join("");
    const respell = (value: string): string => value.replace("@example.com", `@${domain}`);
    const challenge = await ue.register({
      rounds: 0,
      edit: (request) => void request.set("Authorization", respell(request.header("Authorization") ?? "")),
    });
    if (challenge.status !== 401) continue;
    const guess = ue.answer(challenge.header("WWW-Authenticate") ?? "", "REGISTER", "sip:example.com");
    const answer = await ue.register({
      rounds: 0,
      edit: (request) => void request.set("Authorization", respell(guess)),
    });
    if (answer.status === 403) answered++;
  }
  assert.ok(answered <= 10, `${answered} guesses`);
});
