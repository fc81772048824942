import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Rtr } from "@ims/diameter/cx";
import { type ApiUnderTest, startApi } from "./api-under-test.ts";

type Answer = { readonly status: number; readonly text: string; readonly location: string };
type Door = ApiUnderTest & {
  readonly call: (method: string, path: string, body?: string) => Promise<Answer>;
  readonly json: (path: string) => Promise<unknown>;
};

const quoted = encodeURIComponent;
const HA1 = "0123456789abcdef0123456789abcdef";
const ALICE = "alice@example.com";
const IMPU = "sip:alice@example.com";
const IFC =
  "<ServiceProfile><InitialFilterCriteria><Priority>1</Priority><ApplicationServer><ServerName>sip:as.example.com</ServerName><DefaultHandling>0</DefaultHandling></ApplicationServer></InitialFilterCriteria></ServiceProfile>";

const identity = (impu: string, barred = false): string =>
  `<PublicIdentity>${barred ? "<BarringIndication>1</BarringIndication>" : ""}<Identity>${impu}</Identity></PublicIdentity>`;

async function startDoor(t: TestContext): Promise<Door> {
  const api = await startApi(t);
  const call: Door["call"] = async (method, path, body) => {
    const response = await fetch(`${api.url}${path}`, {
      method,
      redirect: "manual",
      // As tools of that time do: a form, whatever it is.
      ...(body === undefined
        ? {}
        : { body, headers: { "content-type": "application/x-www-form-urlencoded" } }),
    });
    const location = response.headers.get("location") ?? "";
    return { status: response.status, text: await response.text(), location };
  };
  const json = async (path: string): Promise<unknown> => {
    const { status, text } = await call("GET", path);
    assert.equal(status, 200, `${path}: ${text}`);
    return JSON.parse(text);
  };
  return { ...api, call, json };
}

/** Makes a user in the steps of such a tool: private identity, set, profile, public identity, criteria. */
async function createUser(door: Door, impi = ALICE, impu = IMPU): Promise<{ set: string; profile: string }> {
  const ok = async (expected: number, answer: Promise<Answer>): Promise<string> => {
    const { status, text, location } = await answer;
    assert.equal(status, expected, text);
    return location;
  };
  assert.equal((await door.call("GET", `/private/${quoted(impi)}`)).status, 404);
  await ok(
    200,
    door.call("PUT", `/private/${quoted(impi)}`, JSON.stringify({ digest_ha1: HA1, realm: "example.com" })),
  );
  const made = await ok(201, door.call("POST", "/irs/", ""));
  const uuid = /irs\/([^/]+)/.exec(made)?.[1] ?? "";
  const sets = `/private/${quoted(impi)}/associated_implicit_registration_sets`;
  await ok(200, door.call("PUT", `${sets}/${uuid}`, ""));
  const listed = (await door.json(sets)) as { associated_implicit_registration_sets: string[] };
  const [set = ""] = listed.associated_implicit_registration_sets;
  assert.equal(set, uuid);
  const profile = await ok(201, door.call("POST", `/irs/${set}/service_profiles`, ""));
  assert.match(profile, /^\/irs\/[^/]+\/service_profiles\/[^/]+$/);
  await ok(200, door.call("PUT", `${profile}/public_ids/${quoted(impu)}`, identity(impu)));
  assert.equal(await ok(303, door.call("GET", `/public/${quoted(impu)}/service_profile`)), profile);
  await ok(200, door.call("PUT", `${profile}/filter_criteria`, IFC));
  return { set, profile };
}

test("a user is made, shown and deleted in the steps of Clearwater's tools, and registers in between", async (t) => {
  const door = await startDoor(t);
  const { set, profile } = await createUser(door);
  assert.deepEqual(await door.json(`/public/${quoted(IMPU)}/associated_private_ids`), {
    private_ids: [ALICE],
  });
  assert.deepEqual(await door.json(`/private/${quoted(ALICE)}/associated_public_ids`), {
    associated_public_ids: [IMPU],
  });
  assert.deepEqual(await door.json(`/irs/${set}/public_ids`), { public_ids: [IMPU] });
  assert.deepEqual(await door.json(`/irs/${set}/private_ids`), { private_ids: [ALICE] });
  assert.deepEqual(await door.json(`${profile}/public_ids`), { public_ids: [IMPU] });
  assert.match(
    (await door.call("GET", `${profile}/public_ids/${quoted(IMPU)}`)).text,
    /<Identity>sip:alice@/,
  );
  assert.match(
    (await door.call("GET", `${profile}/filter_criteria`)).text,
    /<ServerName>sip:as\.example\.com</,
  );
  assert.equal((await door.call("GET", `/public/${quoted(IMPU)}/irs`)).location, `/irs/${set}`);
  // What proves a user goes in and never out.
  const shown = await door.call("GET", `/private/${quoted(ALICE)}`);
  assert.deepEqual(JSON.parse(shown.text), { realm: "example.com" });

  const maa = await door.cx.mar();
  const [item] = maa.sipAuthDataItem ?? [];
  assert.equal(item?.sipDigestAuthenticate?.digestHa1, HA1);
  assert.equal(item.sipDigestAuthenticate.alternateDigestHa1, undefined);
  const saa = await door.cx.sar("REGISTRATION");
  assert.match(saa.userData ?? "", /<ServerName>sip:as\.example\.com</);
  // The same subscriber, through the other door.
  assert.equal((await door.client.get(ALICE)).publicIdentities[0]?.state, "registered");

  const ended: string[] = [];
  door.cx.cscf.handle(Rtr, ({ avps }) => {
    ended.push(`${avps.userName} ${avps.publicIdentity?.join()}`);
    return { resultCode: 2001 };
  });
  assert.equal((await door.call("DELETE", `${profile}/public_ids/${quoted(IMPU)}`)).status, 200);
  assert.deepEqual(ended, [`${ALICE} ${IMPU}`]);
  assert.equal((await door.call("DELETE", profile)).status, 200);
  assert.equal((await door.call("DELETE", profile)).status, 204);
  assert.equal((await door.call("DELETE", `/irs/${set}`)).status, 200);
  assert.equal((await door.call("DELETE", `/private/${quoted(ALICE)}`)).status, 200);
  assert.equal((await door.call("DELETE", `/private/${quoted(ALICE)}`)).status, 204);
  assert.equal((await door.call("GET", `/public/${quoted(IMPU)}/irs`)).status, 404);
  await createUser(door);
});

test("TS 23.228 §4.3.3.4: a second private identity is given a set that another one has; each may have further sets", async (t) => {
  const door = await startDoor(t);
  const { set } = await createUser(door);
  const tablet = `/private/${quoted("tablet@example.com")}`;
  await door.call("PUT", tablet, JSON.stringify({ plaintext_password: "secret" }));
  assert.deepEqual(await door.json(`${tablet}/associated_public_ids`), { associated_public_ids: [] });
  assert.equal((await door.call("PUT", `/irs/${set}/private_ids/tablet@example.com`, "")).status, 200);
  assert.equal((await door.call("PUT", `/irs/${set}/private_ids/tablet@example.com`, "")).status, 200);
  assert.deepEqual(await door.json(`/public/${quoted(IMPU)}/associated_private_ids`), {
    private_ids: [ALICE, "tablet@example.com"],
  });
  const { location } = await door.call("POST", "/irs", "");
  const second = location.slice("/irs/".length);
  assert.equal(
    (await door.call("PUT", `${tablet}/associated_implicit_registration_sets/${second}`, "")).status,
    200,
  );
  assert.deepEqual(await door.json(`${tablet}/associated_implicit_registration_sets`), {
    associated_implicit_registration_sets: [set, second],
  });
  // Its password may be changed; the other's is his.
  assert.equal(
    (await door.call("PUT", tablet, JSON.stringify({ digest_ha1: HA1.toUpperCase() }))).status,
    200,
  );
  assert.equal(door.cx.hss.byPrivateIdentity("tablet@example.com")?.credentials.digest?.ha1Md5, HA1);
  assert.equal(
    (await door.call("DELETE", `${tablet}/associated_implicit_registration_sets/${set}`)).status,
    200,
  );
  assert.deepEqual(await door.json(`/irs/${set}/private_ids`), { private_ids: [ALICE] });
  const last = `/private/${quoted(ALICE)}/associated_implicit_registration_sets/${set}`;
  const refused = await door.call("DELETE", last);
  assert.equal(refused.status, 409);
  assert.match(refused.text, /delete the set instead/);
  // Back again, by way of a set of its own that is gone.
  assert.equal((await door.call("DELETE", `/irs/${second}`)).status, 200);
  assert.equal((await door.call("PUT", `/irs/${set}/private_ids/tablet@example.com`, "")).status, 200);
  assert.equal((await door.call("DELETE", `/private/${quoted(ALICE)}`)).status, 200);
  assert.deepEqual(await door.json(`/irs/${set}/public_ids`), { public_ids: [IMPU] });
});

test("a subscriber of the other door has a set and a profile that can be changed by their paths", async (t) => {
  const door = await startDoor(t);
  await door.client.add({
    impi: ALICE,
    publicIdentities: [{ impu: IMPU }],
    credentials: { password: "secret" },
  });
  const { location } = await door.call("GET", `/public/${quoted(IMPU)}/service_profile`);
  assert.equal((await door.call("PUT", `${location}/filter_criteria`, IFC)).status, 200);
  const { services, registrationSets } = await door.client.get(ALICE);
  assert.equal(services?.initialFilterCriteria[0]?.applicationServer.serverName, "sip:as.example.com");
  assert.equal(registrationSets, undefined);
  assert.equal(
    (await door.call("PUT", `${location}/public_ids/tel%3A%2B1650`, identity("tel:+1650", true))).status,
    200,
  );
  assert.deepEqual(
    (await door.client.get(ALICE)).publicIdentities.map(({ impu, barred }) => [impu, barred]),
    [
      [IMPU, false],
      ["tel:+1650", true],
    ],
  );
  const [, set] = /irs\/([^/]+)/.exec(location) ?? [];
  const { location: second } = await door.call("POST", `/irs/${set}/service_profiles`, "");
  const kid = "sip:kid-!.*!@example.com";
  assert.equal((await door.call("PUT", `${second}/public_ids/${quoted(kid)}`, identity(kid))).status, 200);
  assert.equal((await door.cx.sar("REGISTRATION")).userData?.match(/<ServiceProfile>/g)?.length, 2);
  assert.equal((await door.call("GET", `/public/${quoted(IMPU)}/service_profile`)).location, location);
});

test("bad input is refused with what is wrong, and changes nothing", async (t) => {
  const door = await startDoor(t);
  const { set, profile } = await createUser(door);
  const put = `${profile}/public_ids/${quoted("sip:b@example.com")}`;
  const bob = `/private/${quoted("bob@example.com")}`;
  const long = identity(`sip:${"b".repeat(600)}@example.com`);
  for (const [method, path, body, status, problem] of [
    ["PUT", bob, "nonsense", 400, /no JSON/],
    ["PUT", bob, "", 400, /no JSON/],
    ["PUT", bob, "{}", 400, /./],
    ["PUT", bob, `{"digest_ha1":"abc"}`, 400, /./],
    ["PUT", bob, `{"digest_ha1":"${HA1}","plaintext_password":"x"}`, 400, /./],
    ["PUT", bob, `{"digest_ha1":"${HA1}","__proto__":{"x":1}}`, 400, /./],
    ["PUT", "/private/nonsense", `{"digest_ha1":"${HA1}"}`, 400, /user@realm/],
    ["PUT", `${bob}/associated_implicit_registration_sets/${set}`, "", 404, /no private identity bob/],
    ["PUT", `/irs/${set.replace(/^./, "z")}/private_ids/${ALICE}`, "", 404, /no implicit registration set/],
    ["PUT", `/irs/${set.slice(0, -1)}0/private_ids/x`, "", 404, /./],
    ["POST", "/irs/nonsense/service_profiles", "", 404, /./],
    ["PUT", put, "<PublicIdentity>", 400, /not closed/],
    [
      "PUT",
      put,
      "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><PublicIdentity/>",
      400,
      /document type/,
    ],
    ["PUT", put, "<IMSSubscription/>", 400, /root element is IMSSubscription/],
    ["PUT", put, identity("sip:c@example.com"), 403, /the body is about sip:c@example\.com/],
    ["PUT", put, identity("http://b"), 400, /sip: or tel:/],
    ["PUT", put, long, 400, /./],
    [
      "PUT",
      `${profile}0/public_ids/${quoted("sip:b@example.com")}`,
      identity("sip:b@example.com"),
      404,
      /profile/,
    ],
    ["PUT", `${profile}/filter_criteria`, "<ServiceProfile><Nonsense/></ServiceProfile>", 400, /Nonsense/],
    ["PUT", `${profile}/filter_criteria`, "", 400, /./],
    ["PUT", `${profile}/filter_criteria`, IFC.replace("sip:as.example.com", ""), 400, /ServerName/],
    ["GET", `${profile}/public_ids/${quoted("sip:b@example.com")}`, undefined, 404, /sip:b@example\.com/],
    ["DELETE", `${profile}/public_ids/${quoted("sip:b@example.com")}`, undefined, 404, /sip:b@example\.com/],
    ["GET", "/public/sip:x@y.z/irs", undefined, 404, /./],
    ["GET", "/public?chunk=2&chunk-proportion=2", undefined, 400, /chunk/],
  ] as const) {
    const answer = await door.call(method, path, body);
    assert.equal(answer.status, status, `${method} ${path} ${body}: ${answer.text}`);
    assert.match(answer.text, problem, `${method} ${path}`);
  }
  assert.equal((await door.call("GET", bob)).status, 404);
  assert.deepEqual(await door.json(`/irs/${set}/public_ids`), { public_ids: [IMPU] });
  // A set that nobody may register is empty, and is told so.
  const { location } = await door.call("POST", "/irs", "");
  assert.deepEqual(await door.json(`${location}/public_ids`), { public_ids: [] });
  const early = await door.call("POST", `${location}/service_profiles`, "");
  assert.equal(early.status, 409);
  assert.match(early.text, /associated_implicit_registration_sets/);
  // Identities belong to one subscription.
  const other = await createUser(door, "carol@example.com", "sip:carol@example.com");
  const taken = await door.call("PUT", `${other.profile}/public_ids/${quoted(IMPU)}`, identity(IMPU));
  assert.equal(taken.status, 409);
  assert.equal((await door.call("PUT", `/irs/${set}/private_ids/carol@example.com`, "")).status, 409);
});

test("public identities are listed in parts, and the door says that it is there", async (t) => {
  const door = await startDoor(t);
  const names = ["a", "b", "c"].map((name) => `${name}@example.com`);
  for (const name of names) await createUser(door, name, `sip:${name}`);
  const listed: string[] = [];
  for (let chunk = 0; chunk < 4; chunk++) {
    const part = (await door.json(`/public/?excludeuuids=true&chunk-proportion=4&chunk=${chunk}`)) as {
      public_ids: { public_id: string }[];
    };
    listed.push(...part.public_ids.map(({ public_id }) => public_id));
  }
  assert.deepEqual(
    listed,
    names.map((name) => `sip:${name}`),
  );
  assert.equal((await door.call("GET", "/ping")).text, "OK");
});

test("of many that put one private identity into sets at once each is whole, and none is lost", async (t) => {
  const door = await startDoor(t);
  const sets = await Promise.all(
    ["a", "b", "c"].map(
      async (name) => (await createUser(door, `${name}@example.com`, `sip:${name}@example.com`)).set,
    ),
  );
  const wanted = `/private/${quoted("wanted@example.com")}`;
  await door.call("PUT", wanted, JSON.stringify({ digest_ha1: HA1 }));
  const results = await Promise.all(
    sets.map((set) => door.call("PUT", `${wanted}/associated_implicit_registration_sets/${set}`, "")),
  );
  assert.deepEqual(results.map(({ status }) => status).sort(), [200, 409, 409]);
  const winner = sets[results.findIndex(({ status }) => status === 200)];
  assert.deepEqual(await door.json(`${wanted}/associated_implicit_registration_sets`), {
    associated_implicit_registration_sets: [winner],
  });
});

test("the door asks for the same token as the other one, and web pages are kept out of both", async (t) => {
  const token = "0123456789abcdef";
  const { url } = await startApi(t, token);
  const ask = async (headers: Record<string, string>, from = url): Promise<number> =>
    (
      await fetch(`${from}/private/${quoted(ALICE)}`, {
        method: "PUT",
        headers,
        body: `{"digest_ha1":"${HA1}"}`,
      })
    ).status;
  assert.equal(await ask({}), 401);
  assert.equal(await ask({ authorization: "Bearer nonsense" }), 401);
  assert.equal(await ask({ authorization: `Bearer ${token}` }), 200);
  const open = await startApi(t);
  assert.equal(await ask({ origin: "https://evil.example" }, open.url), 403);
  assert.equal((await fetch(`${open.url}/private/${quoted(ALICE)}`)).status, 404);
});
