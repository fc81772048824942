import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
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

/** Targets of the links and pictures of a page that lead to files, without anchors. */
function linked(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8").replaceAll(/`[^`\n]*`/g, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)|\bsrc(?:set)?="([^"]+)"/g)].flatMap(([, link, picture]) => {
    const target = link ?? picture ?? "";
    return /^[a-z]+:|^#/.test(target) ? [] : [target.split("#")[0] ?? ""];
  });
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

test("every picture is in a document, dark beside light, and small", () => {
  const used = new Set(pages.flatMap((page) => linked(page).map((target) => join(dirname(page), target))));
  const pictures = readdirSync(join(root, "docs/figures"))
    .filter((name) => name.endsWith(".png"))
    .map((name) => `docs/figures/${name}`);
  assert.deepEqual(
    pictures.filter((picture) => !used.has(picture)),
    [],
    "in no document",
  );
  assert.deepEqual(
    pictures.filter((picture) => statSync(join(root, picture)).size > 150_000),
    [],
    "larger than 150 kB",
  );
  assert.deepEqual(
    pictures
      .map((picture) => picture.replace(/-(?:light|dark)\.png$/, ""))
      .filter((name, _, all) => all.indexOf(name) === all.lastIndexOf(name)),
    [],
    "light or dark only",
  );
});
