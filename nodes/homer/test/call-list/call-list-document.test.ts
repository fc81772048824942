import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallFragment } from "@ims/api";
import { readXmlDocument } from "@ims/ims";
import { callListDocument, fragmentElements } from "../../src/call-list/call-list-document.ts";
import type { StoredFragment } from "../../src/store/call-list-repository.ts";
import { answered, missed } from "../support/fragments.ts";

const AT = Date.UTC(2026, 4, 30, 9, 30, 10, 999);

/** As they are kept, the newest call first. */
function stored(...fragments: readonly CallFragment[]): StoredFragment[] {
  return fragments
    .map((each) => {
      const { call, startedAt, kind } = each;
      return { call, startedAt, kind, elements: fragmentElements(each) };
    })
    .sort((a, b) => b.startedAt - a.startedAt || (a.kind < b.kind ? -1 : 1));
}

test("the document is Memento's: answered and refused calls, oldest first, times in UTC", () => {
  assert.equal(
    callListDocument(stored(...answered(AT), missed(AT + 3_600_000, 2)), 10),
    "<call-list><calls>" +
      "<call><to><URI>sip:bob@example.com</URI></to><from><URI>sip:alice@example.com</URI><name>Alice Adams</name></from>" +
      "<answered>1</answered><outgoing>1</outgoing><start-time>2026-05-30T09:30:10</start-time>" +
      "<answer-time>2026-05-30T09:30:20</answer-time><end-time>2026-05-30T09:31:10</end-time></call>" +
      "<call><to><URI>sip:alice@example.com</URI></to><from><URI>sip:bob@example.com</URI></from>" +
      "<answered>0</answered><outgoing>0</outgoing><start-time>2026-05-30T10:30:10</start-time></call>" +
      "</calls></call-list>",
  );
});

test("who has not called anybody has an empty list", () => {
  assert.equal(callListDocument([], 10), "<call-list><calls></calls></call-list>");
});

test("calls that go on or lost their beginning are left out; others in the same millisecond are not", () => {
  const [begin, end] = answered(AT, 1);
  const [, onlyEnd] = answered(AT, 2);
  const shown = (...given: StoredFragment[]): number =>
    callListDocument(given, 10).split("<call>").length - 1;
  assert.equal(shown(...stored(begin)), 0);
  assert.equal(shown(...stored(onlyEnd)), 0);
  assert.equal(shown(...stored(begin, end, onlyEnd, missed(AT, 3))), 2);
});

test("no more than so many calls, the newest", () => {
  const many = stored(...Array.from({ length: 20 }, (_, i) => missed(AT + i * 1_000, i)));
  const times = [...callListDocument(many, 3).matchAll(/<start-time>[^<]*:(\d\d)</g)].map(([, s]) => s);
  assert.deepEqual(times, ["27", "28", "29"]);
});

test("whatever stands in a name, the document stays XML and says it", () => {
  const name = `<b>&"'\u0001\ufffe\ud800 ]]> __proto__ 李`;
  const from = { uri: "sip:x@y?a&b<c>", name };
  const text = callListDocument(stored({ ...missed(AT), from } as CallFragment), 10);
  const read = readXmlDocument(text);
  assert.equal(read.kind, "document", text);
  assert.match(text, /<name>&lt;b&gt;&amp;&quot;&apos;\ufffd \]\]&gt; __proto__ 李<\/name>/);
});
