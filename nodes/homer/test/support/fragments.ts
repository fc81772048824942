import { CALL_FRAGMENTS_PATH, type CallFragment } from "@ims/api";

export const ALICES_LIST = "/org.projectclearwater.call-list/users/sip:alice@example.com/call-list.xml";

const ALICE = { uri: "sip:alice@example.com", name: "Alice Adams" };
const BOB = { uri: "sip:bob@example.com", name: "" };
const nameOf = (number: number): string => number.toString(16).padStart(12, "0");

/** An answered call of Alice that began `startedAt`, rang 10 s and lasted 50: its two fragments. */
export function answered(startedAt: number, number = 1): readonly [CallFragment, CallFragment] {
  const call = { impu: ALICE.uri, call: nameOf(number), startedAt };
  return [
    { kind: "begin", ...call, outgoing: true, to: BOB, from: ALICE, answeredAt: startedAt + 10_000 },
    { kind: "end", ...call, endedAt: startedAt + 60_000 },
  ];
}

/** A call to Alice that she did not take. */
export function missed(startedAt: number, number = 1): CallFragment {
  const call = { impu: ALICE.uri, call: nameOf(number), startedAt };
  return { kind: "rejected", ...call, outgoing: false, to: { uri: ALICE.uri, name: "" }, from: BOB };
}

export function post(core: string, fragments: readonly unknown[]): Promise<Response> {
  return fetch(`${core}${CALL_FRAGMENTS_PATH}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ fragments }),
  });
}
