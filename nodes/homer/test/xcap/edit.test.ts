import assert from "node:assert/strict";
import { test } from "node:test";
import { readXmlDocument, SIMSERVS_NAMESPACE } from "@ims/ims";
import fc from "fast-check";
import {
  deleteAttribute,
  deleteElement,
  type Edited,
  putAttribute,
  putElement,
} from "../../src/xcap/edit.ts";
import { type NodeSelector, parseNodeSelector, selectElement } from "../../src/xcap/node-selector.ts";
import { parseXcapUri } from "../../src/xcap/xcap-uri.ts";

const TEXT = `<?xml version="1.0"?>
<simservs xmlns="${SIMSERVS_NAMESPACE}" xmlns:cp="urn:ietf:params:xml:ns:common-policy">
  <communication-waiting active="true"/>
  <incoming-communication-barring><!-- kept --><cp:ruleset>
    <cp:rule id="a/b"><cp:actions><allow>false</allow></cp:actions></cp:rule>
    <cp:rule id="c"><cp:actions><allow>true</allow></cp:actions></cp:rule>
  </cp:ruleset></incoming-communication-barring>
</simservs>`;
const CP = new Map([["cp", "urn:ietf:params:xml:ns:common-policy"]]);
const RULESET = "simservs/incoming-communication-barring/cp:ruleset";
const RULE = '<cp:rule id="n"><cp:actions><allow>true</allow></cp:actions></cp:rule>';

function document(text = TEXT) {
  const read = readXmlDocument(text);
  if (read.kind === "wrong") assert.fail(read.reason);
  return { text, root: read.root };
}

function selector(text: string): NodeSelector {
  const parsed = parseNodeSelector(text, CP, SIMSERVS_NAMESPACE);
  if (typeof parsed === "string") assert.fail(parsed);
  return parsed;
}

function selected(text: string): string | undefined {
  const { text: whole, root } = document();
  const element = selectElement(root, selector(text).steps);
  return element && whole.slice(element.start, element.end);
}

function attribute(text: string) {
  const { steps, terminal } = selector(text);
  assert.ok(terminal.kind === "attribute");
  return { steps, terminal };
}

function textOf(edited: Edited): string {
  return edited.kind === "edited" ? edited.text : assert.fail(JSON.stringify(edited));
}

function conflictOf(edited: Edited): string {
  return edited.kind === "conflict" ? edited.conflict.element : edited.kind;
}

test("RFC 4825 §6.3: steps by name, position, attribute and both select one element or none", () => {
  assert.equal(selected("simservs/communication-waiting"), '<communication-waiting active="true"/>');
  assert.match(selected(`${RULESET}/cp:rule[2]`) ?? "", /id="c"/);
  assert.match(selected(`${RULESET}/cp:rule[@id="a/b"]/cp:actions`) ?? "", /false/);
  assert.match(selected(`${RULESET}/*[2][@id='c']`) ?? "", /true/);
  assert.match(selected("*/*[1]") ?? "", /communication-waiting/);
  for (const none of [
    `${RULESET}/cp:rule`,
    `${RULESET}/cp:rule[3]`,
    `${RULESET}/cp:rule[1][@id="c"]`,
    "simservs/ruleset",
    "other",
    "simservs/*",
  ])
    assert.equal(selected(none), undefined, none);
  for (const wrong of [
    "",
    "simservs//x",
    "simservs/x[0]",
    "simservs/dp:rule",
    "simservs/x[",
    "@id",
    "simservs/@dp:id",
  ])
    assert.equal(typeof parseNodeSelector(wrong, CP, SIMSERVS_NAMESPACE), "string", wrong);
});

test("RFC 4825 §6.4: an XCAP URI is taken apart, percent-encoded or not", () => {
  const uri = parseXcapUri(
    "/simservs.ngn.etsi.org/users/sip%3Aalice@example.com/simservs.xml/~~/simservs/cp:rule%5B@id=%22a%2Fb%22%5D?xmlns(cp=urn:ietf:params:xml:ns:common-policy)xmlns(b=urn:b)",
  );
  assert.ok(typeof uri !== "string");
  assert.deepEqual(
    [uri.xui, uri.documentName, uri.node],
    ["sip:alice@example.com", "simservs.xml", 'simservs/cp:rule[@id="a/b"]'],
  );
  assert.deepEqual(
    [...uri.bindings],
    [
      ["cp", "urn:ietf:params:xml:ns:common-policy"],
      ["b", "urn:b"],
    ],
  );
  for (const wrong of [
    "/",
    "/a/b/c",
    "/a/users//d",
    "/a/users/x/d/e",
    "/a/users/x/d/~~",
    "/a/users/%ff/d",
    "/a/users/x/d/~~/n?cp=x",
    `/a/users/x/${"d".repeat(5_000)}`,
  ])
    assert.equal(typeof parseXcapUri(wrong), "string", wrong);
});

test("RFC 4825 §8.2.3: an element is replaced in its place, and nothing else changes", () => {
  const { steps } = selector(`${RULESET}/cp:rule[@id="c"]`);
  const replaced = RULE.replace('"n"', '"c"');
  const edited = putElement(document(), steps, `\n${replaced}\n`);
  assert.equal(textOf(edited), TEXT.replace(/<cp:rule id="c">.*<\/cp:rule>/, replaced));
  assert.ok(edited.kind === "edited" && !edited.created);
});

test("RFC 4825 §8.2.3: a new element comes behind its like, at its position, or into an empty parent", () => {
  const last = textOf(putElement(document(), selector(`${RULESET}/cp:rule[@id="n"]`).steps, RULE));
  assert.match(last, /id="c">.*<\/cp:rule><cp:rule id="n">/);
  const second = textOf(putElement(document(), selector(`${RULESET}/cp:rule[2][@id="n"]`).steps, RULE));
  assert.ok(
    second.indexOf('id="n"') < second.indexOf('id="c"') &&
      second.indexOf('id="n"') > second.indexOf('id="a/b"'),
  );
  const inEmpty = textOf(putElement(document(), selector("simservs/communication-waiting/x").steps, "<x/>"));
  assert.match(inEmpty, /<communication-waiting active="true"><x\/><\/communication-waiting>/);
});

test("RFC 4825 §11.1: what cannot be put says why", () => {
  const put = (where: string, what: string): string =>
    conflictOf(putElement(document(), selector(where).steps, what));
  assert.equal(put(`${RULESET}/cp:rule[@id="n"]`, "<cp:rule"), "not-xml-frag");
  assert.equal(put(`${RULESET}/cp:rule[@id="n"]`, "<dp:rule/>"), "not-xml-frag");
  assert.equal(put(`${RULESET}/cp:rule[@id="n"]`, `${RULE}${RULE}`), "not-xml-frag");
  assert.equal(put(`${RULESET}/cp:rule[@id="n"]`, `<!-- x -->${RULE}`), "not-xml-frag");
  assert.equal(put(`${RULESET}/cp:rule[@id="other"]`, RULE), "cannot-insert");
  assert.equal(put(`${RULESET}/cp:rule[5]`, RULE), "cannot-insert");
  assert.equal(put(`simservs/nothing/x`, "<x/>"), "no-parent");
  assert.equal(put("simservs/x", "<x>".repeat(40) + "</x>".repeat(40)), "constraint-failure");
});

test("RFC 4825 §8.4: an element goes, unless the selector would then select its neighbour, or it is the root", () => {
  const gone = textOf(deleteElement(document(), selector(`${RULESET}/cp:rule[@id="a/b"]`).steps));
  assert.ok(!gone.includes("a/b") && gone.includes("<!-- kept -->"));
  assert.equal(
    conflictOf(deleteElement(document(), selector(`${RULESET}/cp:rule[1]`).steps)),
    "cannot-delete",
  );
  assert.equal(conflictOf(deleteElement(document(), selector("simservs").steps)), "cannot-delete");
  assert.equal(conflictOf(deleteElement(document(), selector("simservs/x").steps)), "notFound");
});

test("RFC 4825 §8.2.3, §8.4: attributes are made, replaced and removed", () => {
  const active = attribute("simservs/communication-waiting/@active");
  assert.match(
    textOf(putAttribute(document(), active.steps, active.terminal, "false")),
    /waiting active="false"\/>/,
  );
  const fresh = attribute("simservs/incoming-communication-barring/@active");
  assert.match(
    textOf(putAttribute(document(), fresh.steps, fresh.terminal, "0")),
    /barring active="0"><!-- kept/,
  );
  assert.match(
    textOf(deleteAttribute(document(), active.steps, active.terminal)),
    /<communication-waiting\/>/,
  );
  assert.equal(conflictOf(deleteAttribute(document(), fresh.steps, fresh.terminal)), "notFound");
  for (const wrong of ["a<b", "&nope;", `"'`])
    assert.equal(
      conflictOf(putAttribute(document(), active.steps, active.terminal, wrong)),
      "not-xml-att-value",
    );
  const id = attribute(`${RULESET}/cp:rule[@id="c"]/@id`);
  assert.equal(conflictOf(putAttribute(document(), id.steps, id.terminal, "d")), "cannot-insert");
  assert.equal(conflictOf(deleteAttribute(document(), id.steps, id.terminal)), "cannot-delete");
});

test("RFC 4825 §8.2.3: what was put is what is there, whatever was put", () => {
  const part = fc.constantFrom(
    "<x>",
    "</x>",
    "<x/>",
    "</communication-waiting>",
    "text",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&amp;",
    "&",
    "<cp:x/>",
    '<x y="',
    '"/>',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const { steps } = selector("simservs/communication-waiting/x");
      const body = parts.join("");
      const edited = putElement(document(), steps, body);
      if (edited.kind !== "edited") return;
      const after = document(edited.text);
      const found = selectElement(after.root, steps);
      assert.equal(found && edited.text.slice(found.start, found.end), body.trim());
      assert.equal(
        selectElement(after.root, selector("simservs/incoming-communication-barring").steps)?.children.length,
        1,
      );
    }),
    { numRuns: 500 },
  );
});
