import assert from "node:assert/strict";
import { test } from "node:test";
import { type PageMessage, pageModule } from "./modules.ts";

interface Answer {
  set(name: string, value: string): Answer;
}
const { Registration } = await pageModule<{
  readonly Registration: new (
    agent: object,
    told: (state: string, why?: { kind: string }) => void,
  ) => { register(): void; lost(): void; end(): void; readonly associated: readonly string[] };
}>("sip/registration.js");
const { Message } = await pageModule<{
  readonly Message: { response(status: number, reason: string): Answer };
}>("sip/message.js");

const CHALLENGE = 'Digest realm="example.com", nonce="1", algorithm=MD5, qop="auth"';

/** A registration whose registrar answers with these, one after the other. */
function registrationWith(...answers: readonly Answer[]) {
  const [requests, states]: [PageMessage[], string[]] = [[], []];
  const left = [...answers];
  const agent = {
    user: { impu: "sip:a@example.com", impi: "a@example.com", domain: "example.com", password: "p" },
    ...{ sentBy: "x.invalid", contactUri: "sip:a@x.invalid", contact: "<sip:a@x.invalid>" },
    ...{ allow: "INVITE", name: "test" },
    transport: { succeeded: () => {}, giveUp: () => void states.push("given up") },
    transactions: {
      request(request: PageMessage, heard: (response: Answer) => void) {
        requests.push(request);
        const answer = left.shift();
        if (answer !== undefined) heard(answer);
      },
    },
  };
  const registration = new Registration(agent, (state, why) =>
    states.push(why === undefined ? state : `${state} ${why.kind}`),
  );
  return { registration, requests, states };
}

function answer(status: number, fields: Readonly<Record<string, string>> = {}): Answer {
  const response = Message.response(status, "");
  for (const [name, value] of Object.entries(fields)) response.set(name, value);
  return response;
}

const challenged = () => answer(401, { "WWW-Authenticate": CHALLENGE });

test("TS 24.229 §5.1.1.4.1: a registration is renewed at half of its time, 600 s ahead of a long one, with the nonce that is known", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (const [expires, seconds] of [
    [600, 300],
    [3600, 3000],
  ] as const) {
    const contact = `<sip:other@y>;expires=1, <sip:a@x.invalid>;expires=${expires}`;
    const identities = "<sip:a@example.com>, <tel:+1>";
    const good = { Contact: contact, "P-Associated-URI": identities };
    const { registration, requests, states } = registrationWith(challenged(), answer(200, good));
    registration.register();
    assert.deepEqual(states, ["registering", "registered"]);
    assert.deepEqual(registration.associated, ["sip:a@example.com", "tel:+1"]);
    const [first, second] = requests;
    assert.match(first?.get("Authorization") ?? "", /username="a@example\.com".*nonce="", .*response=""/);
    assert.match(second?.get("Authorization") ?? "", /nonce="1".*nc=00000001/);
    t.mock.timers.tick(seconds * 1000 - 1);
    assert.equal(requests.length, 2);
    t.mock.timers.tick(1);
    assert.equal(requests.length, 3);
    assert.match(requests[2]?.get("Authorization") ?? "", /nc=00000002/);
    registration.lost();
  }
});

test("a wrong password, a number that may not register, and a challenge nobody knows are told apart; none is tried again", () => {
  const unknown = answer(401, { "WWW-Authenticate": CHALLENGE.replace("MD5", "SHA-512-256") });
  for (const [answers, state] of [
    [[challenged(), answer(403)], "refused password"],
    [[challenged(), challenged()], "refused password"],
    [[answer(403)], "refused forbidden"],
    [[unknown], "refused algorithm"],
  ] as const) {
    const { registration, states } = registrationWith(...answers);
    registration.register();
    assert.deepEqual(states, ["registering", state]);
  }
});

test("RFC 3261 §10.2.8, §21.5.4: too short a time is made longer; a server that is busy is asked again when it says", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const brief = registrationWith(answer(423, { "Min-Expires": "1800" }));
  brief.registration.register();
  assert.deepEqual(
    brief.requests.map((request) => request.get("Expires")),
    ["600", "1800"],
  );
  const busy = registrationWith(answer(503, { "Retry-After": "20" }), answer(200));
  busy.registration.register();
  assert.deepEqual(busy.states, ["registering", "failed status"]);
  t.mock.timers.tick(20_000);
  assert.equal(busy.states.at(-1), "registered");
  busy.registration.end();
  assert.equal(busy.requests.at(-1)?.get("Expires"), "0");
  assert.match(busy.requests.at(-1)?.get("Contact") ?? "", /;expires=0$/);
});
