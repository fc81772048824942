import assert from "node:assert/strict";
import { test } from "node:test";
import type { SipMessage } from "../../src/message/message.ts";
import { parseMessage } from "../../src/message/parser.ts";

function bye(routes: string): SipMessage {
  const text = `BYE sip:b@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\n${routes}From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 2 BYE\r\n\r\n`;
  const parsed = parseMessage(text);
  assert.ok(parsed.kind === "message");
  return parsed.message;
}

const hosts = (message: SipMessage): (string | undefined)[] => message.routes.map((route) => route.uri?.host);

test("RFC 3261 §7.3.1: Route values of one line and of several are the same list; empty ones are none", () => {
  for (const routes of [
    "Route: <sip:1;lr>,<sip:2;lr>, <sip:3;lr>\r\n",
    "Route: <sip:1;lr>\r\nRoute: <sip:2;lr> ,<sip:3;lr>\r\n",
    "Route: , <sip:1;lr>, ,<sip:2;lr>\r\nRoute:\r\nRoute: <sip:3;lr>\r\n",
    "Route:\r\nroute : <sip:1;lr>,\r\nRoute: <sip:2;lr>\r\n ,<sip:3;lr>\r\n",
  ]) {
    const message = bye(routes);
    assert.deepEqual(hosts(message), ["1", "2", "3"]);
    message.popRoute();
    assert.deepEqual(hosts(message), ["2", "3"]);
    assert.deepEqual(
      hosts(
        bye(
          `${message
            .values("Route")
            .map((value) => `Route: ${value}\r\n`)
            .join("")}`,
        ),
      ),
      ["2", "3"],
    );
    assert.equal(message.popRoute().top("Route"), "<sip:3;lr>");
    assert.equal(message.popRoute().has("Route"), false);
    assert.deepEqual(message.popRoute().routes, []);
  }
});

test("what is read of a Route belongs to the message it was read in: a copy that changes has its own", () => {
  const message = bye("Route: <sip:1;lr>,<sip:2;lr>\r\n");
  assert.equal(message.routes[0]?.uri?.host, "1");
  const copy = message.clone().popRoute();
  assert.deepEqual([hosts(message), hosts(copy)], [["1", "2"], ["2"]]);
  copy.prepend("Route", "<sip:0;lr>");
  assert.deepEqual(hosts(copy), ["0", "2"]);
  copy.appendUnknown("rOUTE", "<sip:9;lr>");
  assert.deepEqual(hosts(copy), ["0", "2", "9"]);
  assert.deepEqual(hosts(copy.set("Route", "<sip:7;lr>")), ["7"]);
  assert.deepEqual(hosts(copy.remove("Route")), []);
  assert.deepEqual(hosts(message), ["1", "2"]);
});

test("the Request-URI is read again when it was changed", () => {
  const message = bye("");
  assert.equal(message.target?.host, "192.0.2.1");
  const copy = message.clone();
  copy.requestUri = "sip:c@192.0.2.9";
  assert.deepEqual([message.target?.host, copy.target?.host], ["192.0.2.1", "192.0.2.9"]);
  copy.requestUri = "nothing";
  assert.equal(copy.target, undefined);
  copy.requestUri = "";
  assert.equal(copy.target, undefined);
});

test("RFC 3261 §25.1: a Route value is well formed as a whole or not at all", () => {
  const judged = (value: string): boolean | undefined => bye(`Route: ${value}\r\n`).routes[0]?.isWellFormed();
  for (const value of ["<sip:a@b;lr>", '"x, y" <sip:a>;p=1', "sip:a;lr", "n <sip:a>"])
    assert.equal(judged(value), true, value);
  for (const value of ["<sip:a", "<sip:a>x", "<>", "<nothing>", '"x <sip:a>', "a@b <sip:a>", "<sip:a>;=1"])
    assert.equal(judged(value), false, value);
});
