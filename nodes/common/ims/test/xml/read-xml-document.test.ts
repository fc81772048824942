import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeUtf8, readXmlDocument, type XmlElement } from "../../src/index.ts";

function rootOf(text: string): XmlElement {
  const read = readXmlDocument(text);
  if (read.kind === "wrong") assert.fail(`line ${read.line}: ${read.reason}`);
  return read.root;
}

function faultOf(text: string): string {
  const read = readXmlDocument(text);
  return read.kind === "wrong" ? read.fault : "none";
}

test("elements and attributes stand where they are written, with their name spaces", () => {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<a xmlns="urn:a" xmlns:b='urn:b'><b:c d="1 &lt; 2" b:d="x"/>t<![CDATA[<&]]>&#x41;</a>`;
  const root = rootOf(text);
  assert.deepEqual([root.local, root.namespace, root.text], ["a", "urn:a", "t<&A"]);
  const [child] = root.children;
  assert.ok(child !== undefined);
  assert.equal(text.slice(child.start, child.end), `<b:c d="1 &lt; 2" b:d="x"/>`);
  assert.deepEqual([child.local, child.namespace, child.isEmptyTag], ["c", "urn:b", true]);
  assert.deepEqual(
    child.attributes.map(({ local, namespace, value }) => [local, namespace, value]),
    [
      ["d", "", "1 < 2"],
      ["d", "urn:b", "x"],
    ],
  );
  const [first] = child.attributes;
  assert.ok(first !== undefined);
  assert.equal(text.slice(first.start, first.end), `d="1 &lt; 2"`);
  assert.equal(text.slice(root.openEnd, child.start), "");
  assert.equal(text.slice(root.closeStart, root.end), "</a>");
});

test("XML 1.0: what is not well-formed is refused with its line", () => {
  for (const text of [
    "",
    "text",
    "<a>",
    "<a></b>",
    "<a/><b/>",
    "<a b=1/>",
    `<a b="1" b="2"/>`,
    `<a xmlns:x="urn:x" xmlns:y="urn:x" x:b="1" y:b="2"/>`,
    "<x:a/>",
    "<a>&unknown;</a>",
    "<a>&#0;</a>",
    "<a>& </a>",
    "<a>]]></a>",
    "<a>\u0001</a>",
    "<a><!-- </a>",
    "<a><![CDATA[</a>",
    "<a b='<'/>",
    "<1a/>",
    `<a xmlns:b=""/>`,
    "</a>",
  ])
    assert.equal(faultOf(text), "NOT_WELL_FORMED", text);
  const read = readXmlDocument("<a>\n<b>\n</c></a>");
  assert.ok(read.kind === "wrong");
  assert.equal(read.line, 3);
});

test("document types, entities and other encodings are refused", () => {
  const bomb = `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "yyyy"><!ENTITY z "&x;&x;&x;">]><a>&z;</a>`;
  assert.equal(faultOf(bomb), "DOCTYPE_REFUSED");
  assert.equal(faultOf(`<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>`), "DOCTYPE_REFUSED");
  assert.equal(faultOf(`<?xml version="1.0" encoding="UTF-16"?><a/>`), "NOT_UTF8");
  assert.equal(decodeUtf8(Buffer.from([0x3c, 0x61, 0xff, 0x2f, 0x3e])), undefined);
  assert.equal(decodeUtf8(Buffer.from("\ufeff<a/>")), "<a/>");
});

test("length, depth and attributes are bounded, and long input costs no more than its length", () => {
  assert.equal(faultOf(`<a>${" ".repeat(2_000_000)}</a>`), "TOO_LARGE");
  assert.equal(faultOf(`<a>${"<b/>".repeat(3_000)}</a>`), "TOO_LARGE");
  const deep = readXmlDocument("<a>".repeat(50_000), { maxLength: 1_000_000 });
  assert.ok(deep.kind === "wrong" && deep.fault === "TOO_DEEP");
  const many = Array.from({ length: 40 }, (_, index) => ` a${index}="1"`).join("");
  assert.equal(faultOf(`<a${many}/>`), "NOT_WELL_FORMED");
  for (const text of [
    `<a${" ".repeat(60_000)}`,
    `<a b="${"&".repeat(60_000)}"/>`,
    "<".repeat(65_000),
    `<a ${"b".repeat(60_000)}`,
  ]) {
    const began = process.cpuUsage();
    assert.notEqual(faultOf(text), "none");
    const { user } = process.cpuUsage(began);
    assert.ok(user < 500_000, `${text.slice(0, 10)} took ${user} µs`);
  }
});

test("a fragment knows the prefixes around it", () => {
  const bindings = new Map([["cp", "urn:cp"]]);
  const read = readXmlDocument("<cp:rule/>", { bindings });
  assert.ok(read.kind === "document");
  assert.equal(read.root.namespace, "urn:cp");
  assert.equal(readXmlDocument("<dp:rule/>", { bindings }).kind, "wrong");
});
