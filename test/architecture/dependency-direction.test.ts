import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");

/** Which of our packages may be imported: runtime ← sip, diameter, store ← ims ← api ← doctor, nodes. A node never imports a node. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  sip: ["runtime"],
  diameter: ["runtime"],
  store: ["runtime"],
  ims: ["runtime", "sip", "diameter", "store"],
  api: ["runtime", "ims"],
  doctor: ["runtime", "sip", "ims", "api"],
  "application-server": ["runtime", "sip", "store", "ims"],
  bono: ["runtime", "sip", "store", "ims", "api"],
  sprout: ["runtime", "sip", "diameter", "store", "ims", "api", "application-server"],
  ralf: ["runtime", "diameter", "store", "ims", "api"],
  homer: ["runtime", "sip", "store", "ims", "api"],
  ellis: ["runtime", "store", "ims", "api", "doctor"],
  homestead: ["runtime", "sip", "diameter", "store", "ims", "api"],
  vnf: [],
  "etcd-cluster": ["runtime", "store"],
  // The one place where nodes meet: it runs them in one process.
  "all-in-one": ["runtime", "sip", "bono", "sprout"],
  // Of sip the sockets that it opens for workers.
  tidewater: ["runtime", "sip", "store", "ims", "api", "doctor", "vnf", "etcd-cluster"],
};
/** What the options of a node are, it tells the program of operators as well: schemas, nothing that runs. */
const OPTIONS = /^@ims\/(?:bono|sprout|homestead|ralf|homer|ellis)\/options$/;

const packages = globSync(
  ["nodes/*/package.json", "nodes/common/*/package.json", "vnf/package.json", "etcd-cluster/package.json"],
  {
    cwd: ROOT,
  },
).map((manifest) => dirname(manifest));

function sourcesOf(folder: string): string[] {
  return globSync(["src/**/*.ts", "bin/**/*.ts"], { cwd: join(ROOT, folder) }).map((file) =>
    join(folder, file),
  );
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  const imports =
    /^(?:import|export)\b[^"';]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...text.matchAll(imports)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

for (const folder of packages) {
  const name = folder.split("/").at(-1) ?? "";
  test(`${name} imports only what the floor plan allows, through the front door, and declares it`, () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as {
      dependencies?: Record<string, string>;
    };
    const declared = Object.keys(manifest.dependencies ?? {});
    const wrong: string[] = [];
    for (const file of sourcesOf(folder))
      for (const target of importsOf(file)) {
        if (target.startsWith("node:")) continue;
        if (target.startsWith(".")) {
          if (!join(dirname(file), target).startsWith(`${folder}/`))
            wrong.push(`${file} reaches out to ${target}`);
          continue;
        }
        const parts = target.split("/");
        const owner = target.startsWith("@") ? `${parts[0]}/${parts[1]}` : (parts[0] ?? "");
        if (!declared.includes(owner))
          wrong.push(`${file} imports ${target}, which package.json does not declare`);
        if (name === "tidewater" && OPTIONS.test(target)) continue;
        if (owner.startsWith("@ims/") && !ALLOWED[name]?.includes(owner.slice(5)))
          wrong.push(`${file} imports ${target}`);
        if (target.endsWith("/testing")) wrong.push(`${file} imports test code ${target}`);
      }
    assert.deepEqual(wrong, []);
  });
}

test("state machines, codecs and pure packages know no socket, logger or clock of their own", () => {
  const pure = globSync(
    [
      "nodes/**/*.fsm.ts",
      "nodes/common/diameter/src/codec/**/*.ts",
      "nodes/common/sip/src/message/**/*.ts",
      "nodes/common/ims/src/**/*.ts",
    ],
    {
      cwd: ROOT,
      exclude: (path) => path.includes("node_modules"),
    },
  );
  assert.ok(pure.length > 20);
  // node:net's isIP family only looks at text.
  const effects = (file: string): boolean =>
    !/import \{ (?:isIP(?:v[46])?(?:, )?)+ \} from "node:net"/.test(readFileSync(join(ROOT, file), "utf8"));
  const wrong = pure
    .filter(effects)
    .filter((file) =>
      importsOf(file).some((target) => /^node:(net|dgram|tls|timers|http)|^pino$/.test(target)),
    );
  assert.deepEqual(wrong, []);
});
