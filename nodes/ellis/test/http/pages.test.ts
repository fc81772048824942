import assert from "node:assert/strict";
import { test } from "node:test";
import { portalPages } from "../../src/http/page-routes.ts";
import { startEllis } from "../support/ellis-under-test.ts";

test("the portal is served with all it is made of, under a policy that lets nothing else in", async (t) => {
  const { ask } = await startEllis(t);
  const page = await ask("GET", "/");
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  const seen = new Set<string>();
  const wanted = ["/", "/staff", "/phone"];
  for (const path of wanted) {
    if (seen.has(path)) continue;
    seen.add(path);
    const file = await ask("GET", path);
    assert.equal(file.status, 200, path);
    assert.equal(file.headers.get("x-content-type-options"), "nosniff");
    for (const [, each = ""] of file.text.matchAll(/(?:href|src)="(\/[^"]+)"/g)) wanted.push(each);
    for (const [, module = ""] of file.text.matchAll(/(?:from |import\()"(\.[^"]+)"/g))
      wanted.push(new URL(module, `http://ellis${path}`).pathname);
  }
  assert.deepEqual(
    [...portalPages().keys()].filter((name) => !seen.has(`/pages/${name}`)),
    ["index.html", "staff/index.html", "phone/phone.html"],
  );
  assert.equal((await ask("GET", "/pages/../service.ts")).status, 404);
  assert.equal((await ask("GET", "/pages/..%2fservice.ts")).status, 404);
});

test("nothing that a user is called becomes markup or script, and the page has no script of its own inside", () => {
  for (const [name, content] of portalPages()) {
    const text = content.toString();
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|javascript:/, name);
    assert.doesNotMatch(text, /\son[a-z]+\s*=\s*["']|style\s*=\s*["']|<script(?![^>]*\ssrc=)/, name);
  }
});

test("pages that are not there are a reason not to start", () => {
  assert.throws(() => portalPages("/nowhere"), {
    detail: { code: "ELLIS_FILE", option: "pages", file: "/nowhere", problem: "cannot be read" },
  });
});
