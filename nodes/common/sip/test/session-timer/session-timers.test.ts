import assert from "node:assert/strict";
import { test } from "node:test";
import { type SessionTimerOptions, SipMessage, sessionTimers } from "../../src/index.ts";

const ALL: SessionTimerOptions = { sessionExpires: 1800, maxSessionExpires: 3600, minSessionExpires: 600 };

function request(headers: Readonly<Record<string, string>>, method = "INVITE"): SipMessage {
  const message = SipMessage.request(method, "sip:bob@example.com");
  for (const [name, value] of Object.entries(headers)) message.appendUnknown(name, value);
  return message;
}

function response(status: number, headers: Readonly<Record<string, string>> = {}): SipMessage {
  const message = SipMessage.response(status, "");
  for (const [name, value] of Object.entries(headers)) message.appendUnknown(name, value);
  return message;
}

/** What a request looks like behind the proxy, and what its answer looks like in front of it. */
function passed(
  options: SessionTimerOptions,
  headers: Readonly<Record<string, string>>,
  { method = "INVITE", answer = response(200) } = {},
): readonly (string | undefined)[] {
  const asked = request(headers, method);
  const interval = sessionTimers(options)?.of(asked);
  assert.notEqual(interval?.kind, "refused");
  const forwarded = asked.clone();
  if (interval?.kind === "timed") {
    interval.edit(forwarded);
    interval.answer(answer);
  }
  return [
    forwarded.header("Session-Expires"),
    forwarded.header("Min-SE"),
    answer.header("Session-Expires"),
    answer.header("Require"),
  ];
}

test("nothing configured: there are no session timers to ask", () => {
  assert.equal(sessionTimers({ sessionExpires: 0, maxSessionExpires: 0, minSessionExpires: 0 }), undefined);
});

test("RFC 4028 §8.1: an INVITE without Session-Expires gets one, without a refresher; other requests do not", () => {
  assert.deepEqual(passed(ALL, {}), ["1800", undefined, undefined, undefined]);
  for (const method of ["UPDATE", "MESSAGE", "SUBSCRIBE", "BYE", "PRACK"])
    assert.deepEqual(passed(ALL, {}, { method }), [undefined, undefined, undefined, undefined], method);
  assert.deepEqual(passed({ ...ALL, sessionExpires: 0 }, {}), [undefined, undefined, undefined, undefined]);
});

test("RFC 4028 §8.1: what is inserted is never below Min-SE, nor beyond the longest that is allowed", () => {
  assert.equal(passed(ALL, { "Min-SE": "5400" })[0], "5400");
  assert.equal(passed({ ...ALL, sessionExpires: 7200 }, {})[0], "3600");
  assert.equal(passed({ ...ALL, sessionExpires: 300 }, {})[0], "600");
});

test("RFC 4028 §8.1: a longer interval is shortened, but not below Min-SE; the refresher stays", () => {
  assert.deepEqual(passed(ALL, { "Session-Expires": "86400;refresher=uas", Supported: "timer" }), [
    "3600;refresher=uas",
    undefined,
    "3600;refresher=uac",
    "timer",
  ]);
  assert.equal(passed(ALL, { x: "86400;refresher=uac", "Min-SE": "7200" })[0], "7200;refresher=uac");
  assert.equal(passed(ALL, { "Session-Expires": "900", "Min-SE": "90" })[0], "900");
  assert.equal(passed(ALL, { "Session-Expires": "86400" }, { method: "UPDATE" })[0], "3600");
});

test("RFC 4028 §8.1: too short an interval is 422 with Min-SE for who supports timers", () => {
  for (const [method, tags] of [
    ["INVITE", "timer"],
    ["UPDATE", "100rel, Timer"],
  ] as const) {
    const interval = sessionTimers(ALL)?.of(request({ "Session-Expires": "599", Supported: tags }, method));
    assert.equal(interval?.kind, "refused");
    const refusal = response(422);
    interval?.edit(refusal);
    assert.equal(refusal.header("Min-SE"), "600");
  }
});

test("RFC 4028 §8.1: too short an interval of who does not support timers is raised, with Min-SE", () => {
  assert.deepEqual(passed(ALL, { "Session-Expires": "100" }).slice(0, 2), ["600", "600"]);
  assert.deepEqual(passed(ALL, { "Session-Expires": "100", "Min-SE": "900" }).slice(0, 2), ["900", "900"]);
});

test("RFC 4028 §4: no option makes an interval shorter than 90 s", () => {
  const brief = { sessionExpires: 0, maxSessionExpires: 90, minSessionExpires: 0 };
  assert.equal(passed(brief, { "Session-Expires": "60" })[0], "90");
  assert.equal(passed(brief, { "Session-Expires": "120" })[0], "90");
});

test("RFC 4028 §8.2: the caller refreshes when only he supports timers; every other answer stays as it is", () => {
  const supported = { Supported: "replaces, timer" };
  assert.deepEqual(passed(ALL, supported).slice(2), ["1800;refresher=uac", "timer"]);
  const required = response(200, { Require: "timer" });
  assert.deepEqual(passed(ALL, supported, { answer: required }).slice(2), ["1800;refresher=uac", "timer"]);
  assert.equal(required.count("Require"), 1);
  const own = (): SipMessage =>
    response(200, { "Session-Expires": "1200;refresher=uas", Require: "timer, x" });
  assert.deepEqual(passed(ALL, supported, { answer: own() }).slice(2), ["1200;refresher=uas", "timer, x"]);
  assert.deepEqual(passed(ALL, {}).slice(2), [undefined, undefined]);
  for (const status of [180, 183, 302, 486, 500])
    assert.deepEqual(passed(ALL, supported, { answer: response(status) }).slice(2), [undefined, undefined]);
});

test("a Session-Expires that cannot be read is the user agents' affair", () => {
  for (const text of ["", "soon", "-5", "1e9", "99999999999999999999"])
    assert.equal(
      sessionTimers(ALL)?.of(request({ "Session-Expires": text, Supported: "timer" })),
      undefined,
      text,
    );
});
