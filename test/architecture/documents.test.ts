import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "docs/README.md",
  "docs/ARCHITECTURE.md",
  "docs/dimensioning.md",
  "docs/features.md",
].concat(
  readdirSync(join(root, "docs/operations"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/operations/${name}`),
);

/** Targets of the links of a page that lead to files, without anchors. */
function linked(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8").replaceAll(/`[^`\n]*`/g, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) =>
    /^[a-z]+:|^#/.test(target) ? [] : [target.split("#")[0] ?? ""],
  );
}

test("links between documents lead somewhere", () => {
  const dead = pages.flatMap((page) =>
    linked(page)
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  assert.deepEqual(dead, []);
});

test("every document beside the guides is in the index of documents", () => {
  const index = linked("docs/README.md");
  const documents = readdirSync(join(root, "docs")).filter(
    (name) => name.endsWith(".md") && name !== "README.md",
  );
  assert.deepEqual(
    documents.filter((name) => !index.includes(name)),
    [],
  );
});

test("every guide is in the index of documents, once", () => {
  const index = linked("docs/README.md").filter((target) => target.startsWith("operations/"));
  const guides = pages.flatMap((page) =>
    page.startsWith("docs/operations/") ? [page.slice("docs/".length)] : [],
  );
  assert.deepEqual(index.toSorted(), guides.toSorted());
});
