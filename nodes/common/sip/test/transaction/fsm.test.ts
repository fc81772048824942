import assert from "node:assert/strict";
import { test } from "node:test";
import { clientInvite } from "../../src/transaction/client-invite.fsm.ts";
import { clientNonInvite } from "../../src/transaction/client-non-invite.fsm.ts";
import type { Table } from "../../src/transaction/fsm.ts";
import { serverInvite } from "../../src/transaction/server-invite.fsm.ts";
import { serverNonInvite } from "../../src/transaction/server-non-invite.fsm.ts";

const CLIENT = [
  "1xx",
  "2xx",
  "300-699",
  "timerA",
  "timerB",
  "timerD",
  "timerE",
  "timerF",
  "timerK",
  "timerM",
  "transportError",
];
const SERVER = [
  "request",
  "ack",
  "1xx",
  "2xx",
  "300-699",
  "timerG",
  "timerH",
  "timerI",
  "timerJ",
  "timerL",
  "transportError",
];

/** One line per state: input>next for what is listed; everything else must be ignored. */
const EXPECTED = {
  "RFC 3261 §17.1.1 with RFC 6026: INVITE client": {
    table: clientInvite,
    inputs: CLIENT,
    rows: {
      calling:
        "1xx>proceeding 2xx>accepted 300-699>completed timerA>calling timerB>terminated transportError>terminated",
      proceeding: "1xx>proceeding 2xx>accepted 300-699>completed transportError>terminated",
      completed: "300-699>completed timerD>terminated transportError>terminated",
      accepted: "2xx>accepted timerM>terminated",
      terminated: "",
    },
  },
  "RFC 3261 §17.1.2: non-INVITE client": {
    table: clientNonInvite,
    inputs: CLIENT,
    rows: {
      trying:
        "1xx>proceeding 2xx>completed 300-699>completed timerE>trying timerF>terminated transportError>terminated",
      proceeding:
        "1xx>proceeding 2xx>completed 300-699>completed timerE>proceeding timerF>terminated transportError>terminated",
      completed: "timerK>terminated",
      terminated: "",
    },
  },
  "RFC 3261 §17.2.1 with RFC 6026: INVITE server": {
    table: serverInvite,
    inputs: SERVER,
    rows: {
      proceeding:
        "request>proceeding 1xx>proceeding 2xx>accepted 300-699>completed transportError>terminated",
      completed:
        "request>completed ack>confirmed timerG>completed timerH>terminated transportError>terminated",
      confirmed: "timerI>terminated",
      accepted: "request>accepted ack>accepted 2xx>accepted timerL>terminated",
      terminated: "",
    },
  },
  "RFC 3261 §17.2.2: non-INVITE server": {
    table: serverNonInvite,
    inputs: SERVER,
    rows: {
      trying: "1xx>proceeding 2xx>completed 300-699>completed",
      proceeding:
        "request>proceeding 1xx>proceeding 2xx>completed 300-699>completed transportError>terminated",
      completed: "request>completed timerJ>terminated transportError>terminated",
      terminated: "",
    },
  },
};

for (const [title, { table, inputs, rows }] of Object.entries(EXPECTED)) {
  test(`${title}: every pair of state and input is a transition of the figure or ignored`, () => {
    const walked = table as Table<string, string, string>;
    assert.deepEqual(Object.keys(walked).sort(), Object.keys(rows).sort());
    for (const [state, row] of Object.entries(rows)) {
      const seen = inputs
        .filter((input) => walked[state]?.[input] !== undefined)
        .map((input) => `${input}>${walked[state]?.[input]?.next}`);
      assert.equal(seen.join(" "), row, state);
      assert.deepEqual(
        Object.keys(walked[state] ?? {}).filter((input) => !inputs.includes(input)),
        [],
      );
    }
  });
}
