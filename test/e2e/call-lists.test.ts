import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { ProvisioningClient } from "@ims/api";
import { buildSimservs } from "@ims/ims";
import { inviteOf, reply } from "../support/call-flow.ts";
import { type CoreUnderTest, hostInUri, launchCore } from "../support/core-under-test.ts";
import { SipUe } from "../support/sip-ue.ts";
import { sippMissing } from "../support/sipp.ts";
import { problemsOf, runCall, type Scenario, type SippTarget, type SippUser } from "../support/sipp-call.ts";

const run = promisify(execFile);
const missing = sippMissing();
// Where tests must not be skipped in silence a missing SIPp makes them fail.
const skip = missing === null || process.env["CI"] !== undefined ? false : missing.reason;

const invites = {
  negated: false,
  condition: { kind: "method" as const, method: "INVITE", registrationTypes: [] },
};

describe("call lists, twinning and diversion by URI, seen by SIPp and curl", { skip }, () => {
  let core: CoreUnderTest;
  let users = 0;
  before(async () => {
    assert.equal(missing, null, missing?.reason);
    const diversion = ["--set", "sprout.communication-diversion=true"];
    core = await launchCore({
      args: ["--no-examples", "--mmtel", "--call-lists", "--twinning", ...diversion],
    });
  });
  after(() => core?.stop());

  const where = (): SippTarget => {
    const { sip, domain } = core;
    return { target: `${hostInUri(sip.host)}:${sip.udpPort}`, domain, transport: "udp" };
  };

  /** A new user with criteria for calls; of "both" cases: made and got. */
  async function user(
    server?: string,
    sessionCase: "both" | "got" = "got",
    name = `cl${users++}`,
  ): Promise<SippUser> {
    const cases = sessionCase === "both" ? ([0, 1] as const) : ([1] as const);
    const initialFilterCriteria = (server === undefined ? [] : cases).map((each, priority) => ({
      priority,
      trigger: {
        form: "cnf" as const,
        groups: [
          [invites],
          [{ negated: false, condition: { kind: "sessionCase" as const, sessionCase: each } }],
        ],
      },
      applicationServer: { serverName: server ?? "", defaultHandling: "terminate" as const },
    }));
    const impi = `${name}@${core.domain}`;
    const password = "secret";
    await new ProvisioningClient(core.provisioning).add({
      impi,
      publicIdentities: [{ impu: `sip:${impi}` }],
      credentials: { password },
      services: { initialFilterCriteria },
    });
    return { name, password };
  }

  /** What a user reads by curl, once as many calls as that are there. */
  async function listOf({ name, password }: SippUser, calls: number): Promise<string> {
    const path = `/org.projectclearwater.call-list/users/sip:${name}@${core.domain}/call-list.xml`;
    const digest = ["--digest", "-u", `${name}@${core.domain}:${password}`, "--compressed"];
    for (let turn = 0; ; turn++) {
      const { stdout } = await run("curl", [
        "-s",
        "-f",
        ...digest,
        `http://${hostInUri(core.host)}:7887${path}`,
      ]);
      if (stdout.split("<call>").length - 1 === calls) return stdout;
      assert.ok(turn < 50, stdout);
      await delay(100);
    }
  }

  async function call(
    caller: SippUser,
    callee: SippUser,
    scenario: Scenario,
    callees: Scenario[],
  ): Promise<void> {
    assert.deepEqual(problemsOf(await runCall(where(), { caller, scenario, callee, callees })), []);
  }

  async function open(t: TestContext, { name, password }: SippUser, contactParameters = ""): Promise<SipUe> {
    const ue = await SipUe.open(t, core, { user: name, password, contactParameters });
    assert.equal((await ue.register()).status, 200);
    return ue;
  }

  test("both parties read of a call that SIPp made, and of one that was refused", async () => {
    const server = `sip:memento.${core.domain}`;
    const [alice, bob, carol] = [
      await user(server, "both"),
      await user(server, "both"),
      await user(server, "both"),
    ];
    await call(alice, bob, { name: "uac-call" }, [{ name: "uas-answer" }]);
    await call(alice, carol, { name: "uac-refused", fill: { CODE: "486" } }, [
      { name: "uas-refuse", fill: { CODE: "486", REASON: "Busy" } },
    ]);
    const said = (list: string): string[] =>
      [...list.matchAll(/<answered>(.)<\/answered><outgoing>(.)<\/outgoing>/g)].map(([, ...flags]) =>
        flags.join(""),
      );
    const made = await listOf(alice, 2);
    assert.deepEqual(said(made), ["11", "01"]);
    const got = await listOf(bob, 1);
    assert.deepEqual(said(got), ["10"]);
    assert.deepEqual(said(await listOf(carol, 1)), ["00"]);
    const times = ["start", "answer", "end"]
      .map((name) => `<${name}-time>[0-9T:-]{19}</${name}-time>`)
      .join("");
    for (const list of [made, got]) {
      assert.match(
        list,
        new RegExp(`<to><URI>sip:${bob.name}@[^<]*</URI></to><from><URI>sip:${alice.name}@`),
      );
      assert.match(list, new RegExp(times));
    }
  });

  test("a call to one who is busy goes where the URI of the server says", async () => {
    const [caller, target] = [await user(), await user()];
    const callee = await user(
      `sip:communication-diversion.${core.domain};conditions=busy+not-registered;target=sip:${target.name}%40${core.domain}`,
    );
    const cause = { CAUSE: "486" };
    await call(caller, callee, { name: "uac-diverted", fill: cause }, [
      { name: "uas-refuse", fill: { CODE: "486", REASON: "Busy" } },
      { name: "uas-diverted", fill: cause, user: target },
    ]);
  });

  test("a call rings at the VoIP client and at the mobile; the mobile answers, the other one stops ringing", async (t) => {
    const bob = await user(`sip:mobile-twinned@gemini.${core.domain};twin-prefix=99`);
    const native = await user(undefined, "got", `99${bob.name}`);
    const caller = await open(t, await user());
    const voip = await open(t, bob);
    const mobile = await open(t, native, ';+g.3gpp.ics="server,principal"');
    caller.send(inviteOf(caller, voip.impu));
    const [atClient, atMobile] = [await voip.incoming("INVITE"), await mobile.incoming("INVITE")];
    assert.deepEqual(atMobile.values("Accept-Contact"), [
      '*;+g.3gpp.ics="server,principal";explicit;require',
    ]);
    assert.equal(atClient.values("Reject-Contact").length, 2);
    reply(voip, atClient, 180);
    reply(mobile, atMobile, 180);
    reply(mobile, atMobile, 200);
    assert.equal((await caller.final("INVITE")).status, 200);
    const cancel = await voip.incoming("CANCEL");
    reply(voip, cancel, 200);
    reply(voip, atClient, 487);
  });

  test("TS 24.604 §4.5.2.6: who wants it hears by MESSAGE of the call that went elsewhere while he was busy", async (t) => {
    const bob = await user(`sip:mmtel.${core.domain}`);
    const [caller, busy, target] = [
      await open(t, await user()),
      await open(t, bob),
      await open(t, await user()),
    ];
    const document = buildSimservs({
      communicationDiversion: {
        active: true,
        noReplySeconds: undefined,
        rules: [
          {
            id: "busy",
            conditions: [{ kind: "busy" }],
            action: {
              target: target.impu,
              ...{ notifyCaller: true, revealIdentityToCaller: true, revealServedUserIdentityToCaller: true },
              ...{ revealIdentityToTarget: true, noReplySeconds: undefined, notifyServedUser: true },
            },
          },
        ],
      },
    });
    const url = `http://${hostInUri(core.host)}:7887/simservs.ngn.etsi.org/users/${busy.impu}/simservs.xml`;
    const content = ["-H", "Content-Type: application/vnd.etsi.simservs+xml", "--data-binary", document];
    await run("curl", [
      "-s",
      "-f",
      "--digest",
      "-u",
      `${busy.impi}:${bob.password}`,
      "-X",
      "PUT",
      ...content,
      url,
    ]);
    caller.send(inviteOf(caller, busy.impu));
    reply(busy, await busy.incoming("INVITE"), 486);
    await caller.expect((message) => message.status === 181, "181");
    reply(target, await target.incoming("INVITE"), 480);
    assert.equal((await caller.final("INVITE")).status, 480);
    const told = await busy.incoming("MESSAGE");
    reply(busy, told, 200);
    assert.equal(told.body, `Call from ${caller.impu} diverted to ${target.impu} (busy)`);
  });
});
