import assert from "node:assert/strict";
import { test } from "node:test";
import { ResultCode } from "@ims/diameter";
import { ServerAssignmentTypeValue } from "@ims/diameter/cx";
import { type Decision, type ServedOrRefused, serveAndSave } from "../../src/cx/identities.ts";
import { serverAssignment } from "../../src/cx/server-assignment.ts";
import { type Hss, type Saved, UNAVAILABLE, when } from "../../src/hss/hss.ts";
import { notRegistered } from "../../src/hss/subscriber.ts";
import { addSubscriber, memoryHss, startCx } from "./cx-under-test.ts";

type Answer = { readonly resultCode: number };

/** An HSS whose saves end as told, one after the other. */
function hssSaving(...outcomes: Saved[]): Hss {
  return {
    byPrivateIdentity: () => undefined,
    byPublicIdentity: () => undefined,
    save: async () => outcomes.shift() ?? "saved",
    inTurn: (_name, work) => work(),
  };
}

test("TS 29.228 §6.1: a procedure that was overtaken decides again on the state as it is then", async (t) => {
  const embedded = memoryHss(t);
  addSubscriber(embedded);
  const subscriber = embedded.byPrivateIdentity("alice@example.com");
  const identity = subscriber?.identities[0];
  assert.ok(subscriber && identity);
  const found: ServedOrRefused = { kind: "served", subscriber, identity };
  const run = async (...outcomes: Saved[]): Promise<[number, number]> => {
    let decisions = 0;
    const decide = (): Decision<Answer> => {
      decisions++;
      return { answer: { resultCode: 2000 + decisions }, change: { registration: notRegistered } };
    };
    const answer = await serveAndSave(hssSaving(...outcomes), "alice", async () => found, decide);
    return [(answer as Answer).resultCode, decisions];
  };
  assert.deepEqual(await run("saved"), [2001, 1]);
  assert.deepEqual(await run("overtaken", "overtaken", "saved"), [2003, 3]);
  assert.deepEqual(await run("unavailable"), [ResultCode.UNABLE_TO_COMPLY, 1]);
  assert.deepEqual(await run(...Array<Saved>(30).fill("overtaken")), [ResultCode.UNABLE_TO_COMPLY, 24]);
});

test("TS 29.228 §6.1: what was seen a moment ago is good for a change that is saved, and for no answer without one", async (t) => {
  const embedded = memoryHss(t);
  addSubscriber(embedded);
  addSubscriber(embedded, { impi: "bob@example.com" });
  const recent = embedded.byPrivateIdentity("alice@example.com");
  const now = embedded.byPrivateIdentity("bob@example.com");
  assert.ok(recent && now);
  const run = async (saves: Saved[], changes: boolean, remembers = true): Promise<string[]> => {
    const steps: string[] = [];
    const hss: Hss = {
      ...hssSaving(),
      recent: {
        byPrivateIdentity: () => (remembers ? recent : undefined),
        byPublicIdentity: () => undefined,
      },
      byPrivateIdentity: async () => now,
      save: async ({ impi }) => {
        steps.push(`save ${impi[0]}`);
        return saves.shift() ?? "saved";
      },
    };
    const answer = await serveAndSave(
      hss,
      "alice",
      (lookups) =>
        when(lookups.byPrivateIdentity("alice@example.com"), (found): ServedOrRefused => {
          const identity = typeof found === "object" ? found.identities[0] : undefined;
          if (typeof found !== "object" || identity === undefined)
            return { kind: "refused", answer: { resultCode: 1 } };
          return { kind: "served", subscriber: found, identity };
        }),
      ({ subscriber }): Decision<Answer> => ({
        answer: { resultCode: subscriber === recent ? 100 : 200 },
        ...(changes ? { change: { registration: notRegistered } } : {}),
      }),
    );
    return [...steps, String((answer as Answer).resultCode)];
  };
  assert.deepEqual(await run([], true), ["save a", "100"]);
  assert.deepEqual(await run(["overtaken"], true), ["save a", "save b", "200"]);
  assert.deepEqual(await run(["unavailable"], true), ["save a", String(ResultCode.UNABLE_TO_COMPLY)]);
  assert.deepEqual(await run([], false), ["200"]);
  assert.deepEqual(await run([], true, false), ["save b", "200"]);
});

test("TS 29.228 §6.1.1.1: without its store homestead is unable to comply, whatever is asked", async (t) => {
  const cx = await startCx(t);
  cx.add();
  const away: Hss = {
    byPrivateIdentity: async () => UNAVAILABLE,
    byPublicIdentity: async () => UNAVAILABLE,
    save: async () => UNAVAILABLE,
    inTurn: (_name, work) => work(),
  };
  const modules = { hss: away, servers: cx.servers, options: cx.options, nextRand: () => new Uint8Array(16) };
  for (const [userName, publicIdentity] of [
    ["alice@example.com", ["sip:alice@example.com"]],
    ["alice@example.com", []],
    [undefined, ["sip:alice@example.com"]],
  ] as const) {
    const request = saRequest({ userName, publicIdentity: [...publicIdentity] });
    assert.deepEqual(await serverAssignment(request, modules), { resultCode: ResultCode.UNABLE_TO_COMPLY });
  }
});

test("TS 29.228 §6.1.2.1, RFC 6733 §5.5.4: a deregistration that comes again, as its answer was lost, succeeds again", async (t) => {
  const cx = await startCx(t);
  cx.add();
  await cx.register();
  const modules = {
    hss: cx.hss,
    servers: cx.servers,
    options: cx.options,
    nextRand: () => new Uint8Array(16),
  };
  const request = saRequest({});
  const codeOf = async (retransmitted: boolean): Promise<number | undefined> =>
    (await serverAssignment(request, modules, retransmitted)).resultCode;
  assert.equal(await codeOf(false), ResultCode.SUCCESS);
  assert.equal(await codeOf(false), ResultCode.SUCCESS, "asked again later, which has no T bit");
  assert.equal(await codeOf(true), ResultCode.SUCCESS);
  assert.equal(cx.hss.byPrivateIdentity("alice@example.com")?.registration.state, "notRegistered");
  await cx.mar({ serverName: "sip:new.example.com" });
  assert.equal(await codeOf(false), ResultCode.UNABLE_TO_COMPLY);
  assert.equal(await codeOf(true), ResultCode.UNABLE_TO_COMPLY);
});

function saRequest(given: object): Parameters<typeof serverAssignment>[0] {
  return {
    sessionId: "s",
    originHost: "sprout.example.com",
    originRealm: "example.com",
    destinationRealm: "example.com",
    authSessionState: 1,
    userName: "alice@example.com",
    publicIdentity: ["sip:alice@example.com"],
    serverName: "sip:scscf.example.com:5054;transport=tcp",
    serverAssignmentType: ServerAssignmentTypeValue.USER_DEREGISTRATION,
    userDataAlreadyAvailable: 0,
    ...given,
  } as unknown as Parameters<typeof serverAssignment>[0];
}
