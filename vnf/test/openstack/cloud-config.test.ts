import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readCloud } from "../../src/openstack/cloud-config.ts";

function folderWith(t: { after(work: () => void): void }, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "clouds-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const AUTH =
  "username: o, password: p, user_domain_name: Default, project_name: ims, project_domain_name: Default";

test("clouds.yaml: the named entry, with its region, interface, CA and what secure.yaml adds", (t) => {
  const folder = folderWith(t, {
    "clouds.yaml": `clouds:
  one:
    auth: { auth_url: "https://keystone.example:5000", username: o, user_domain_name: Default, project_name: ims, project_domain_id: default }
    region_name: R1
    interface: internal
    cacert: /etc/ca.pem
  two: { auth: { auth_url: "https://x/v3", ${AUTH} }, verify: false }
`,
    "secure.yaml": "clouds: { one: { auth: { password: s3cret } } }\n",
  });
  const one = readCloud({ environment: { OS_CLOUD: "two" }, cloud: "one", folder, home: "/nonexistent" });
  assert.deepEqual(one, {
    kind: "cloud",
    cloud: {
      name: "one",
      authUrl: "https://keystone.example:5000/v3",
      credentials: {
        kind: "password",
        user: { name: "o", domain: { name: "Default" } },
        password: "s3cret",
        scope: { kind: "project", name: "ims", domain: { id: "default" } },
      },
      region: "R1",
      interface: "internal",
      verify: true,
      caFile: "/etc/ca.pem",
    },
  });
  const two = readCloud({ environment: { OS_CLOUD: "two" }, folder, home: "/nonexistent" });
  assert.equal(two.kind === "cloud" && two.cloud.verify, false);
});

test("an application credential needs no project; its id and secret are enough", (t) => {
  const folder = folderWith(t, {
    ".config/openstack/clouds.yaml": `clouds:
  app: { auth_type: v3applicationcredential, auth: { auth_url: "http://k/v3", application_credential_id: abc, application_credential_secret: s } }
`,
  });
  const read = readCloud({ environment: {}, folder: "/nonexistent", home: folder });
  assert.deepEqual(read.kind === "cloud" && read.cloud.credentials, {
    kind: "applicationCredential",
    id: "abc",
    secret: "s",
  });
});

test("OS_* variables as an openrc file sets them", () => {
  const environment = {
    OS_AUTH_URL: "http://k:5000/v3/",
    OS_USERNAME: "o",
    OS_PASSWORD: "p",
    OS_USER_DOMAIN_NAME: "Default",
    OS_PROJECT_ID: "42",
    OS_REGION_NAME: "RegionOne",
    OS_ENDPOINT_TYPE: "publicURL",
  };
  const read = readCloud({ environment, folder: "/nonexistent", home: "/nonexistent" });
  assert.ok(read.kind === "cloud");
  assert.deepEqual(
    [read.cloud.authUrl, read.cloud.region, read.cloud.interface, read.cloud.verify],
    ["http://k:5000/v3", "RegionOne", "public", true],
  );
  assert.deepEqual(read.cloud.credentials.kind === "password" && read.cloud.credentials.scope, {
    kind: "project",
    id: "42",
  });
});

test("what is missing or wrong is told with its place, and no secret", (t) => {
  const entry = (text: string): string => `clouds: { c: ${text} }\n`;
  const url = 'auth_url: "https://k/v3"';
  const cases: readonly [string, RegExp][] = [
    ["clouds: [", /clouds\.yaml:\d+: /],
    ["cloud: {}", /no map of clouds/],
    ["clouds: { a: {}, b: {} }", /several clouds; name one .*: a, b/],
    [entry("{ auth: {} }"), /clouds\.c: auth_url is missing/],
    [entry('{ auth: { auth_url: "ftp://k" } }'), /auth_url is no http/],
    [entry('{ auth: { auth_url: "https://o:hunter2@k" } }'), /has a password in it/],
    [entry(`{ auth: { ${url} } }`), /password is missing/],
    [entry(`{ auth: { ${url}, password: hunter2 } }`), /username and user_domain_name are missing/],
    [
      entry(`{ auth: { ${url}, username: o, password: hunter2, user_domain_name: D } }`),
      /project_name is missing/,
    ],
    [
      entry(`{ auth: { ${url}, username: o, password: hunter2, user_domain_name: D, project_name: p } }`),
      /project_name needs/,
    ],
    [entry(`{ auth_type: v3oidc, auth: { ${url} } }`), /auth_type v3oidc is none of/],
    [entry(`{ auth_type: v3applicationcredential, auth: { ${url} } }`), /secret is missing/],
    [entry(`{ interface: sideways, auth: { ${url}, ${AUTH} } }`), /sideways is none of/],
    [entry(`{ verify: maybe, auth: { ${url}, ${AUTH} } }`), /clouds\.c\.verify: /],
    [entry("{ auth: 5 }"), /auth_url is missing/],
  ];
  for (const [text, expected] of cases) {
    const folder = folderWith(t, { "clouds.yaml": text });
    const read = readCloud({ environment: {}, folder, home: "/nonexistent" });
    assert.ok(read.kind === "bad", text);
    assert.match(read.problem, expected, text);
    assert.doesNotMatch(read.problem, /hunter2/);
  }
  const none = readCloud({ environment: {}, folder: "/nonexistent", home: "/nonexistent" });
  assert.match(none.kind === "bad" ? none.problem : "", /set OS_CLOUD .* or source an openrc file/);
  const unknown = readCloud({
    environment: {},
    cloud: "__proto__",
    folder: folderWith(t, { "clouds.yaml": entry(`{ auth: { ${url}, ${AUTH} } }`) }),
    home: "/nonexistent",
  });
  assert.match(unknown.kind === "bad" ? unknown.problem : "", /has no cloud __proto__, only c/);
});
