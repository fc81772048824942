import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type NewSubscriber, ProvisioningClient } from "@ims/api";
import { buildSimservs, type Condition, type Simservs } from "@ims/ims";
import { type CoreUnderTest, hostInUri } from "./core-under-test.ts";
import type { SippTarget, SippUser } from "./sipp-call.ts";

const run = promisify(execFile);

type Criteria = NonNullable<NonNullable<NewSubscriber["services"]>["initialFilterCriteria"]>;

export interface TelephonyUser {
  /** Settings, put into his document by XCAP; default: none. */
  readonly simservs?: Simservs | undefined;
  /** The MMTEL application server; default: the one in sprout. */
  readonly serverName?: string;
  /** Identities beside the SIP URI, of the same set. */
  readonly more?: readonly string[];
  /** Criteria behind the one of the MMTEL application server. */
  readonly criteria?: Criteria;
}

/** A core that runs with --mmtel, and users of telephony services in it. */
export class TelephonyUnderTest {
  readonly core: CoreUnderTest;
  readonly #provisioning: ProvisioningClient;
  #next = 0;

  constructor(core: CoreUnderTest) {
    this.core = core;
    this.#provisioning = new ProvisioningClient(core.provisioning);
  }

  get where(): SippTarget {
    const { sip, domain } = this.core;
    const ueHost = sip.host.includes(":") ? sip.host : "127.0.0.1";
    return { target: `${hostInUri(sip.host)}:${sip.udpPort}`, domain, transport: "udp", ueHost };
  }

  uriOf({ name }: SippUser): string {
    return `sip:${name}@${this.core.domain}`;
  }

  /** A new user whose every request goes to the MMTEL application server by an ordinary iFC. */
  async user({ simservs, serverName, more = [], criteria = [] }: TelephonyUser = {}): Promise<SippUser> {
    const one = { name: `ue${this.#next++}`, password: "secret" };
    const server = serverName ?? `sip:mmtel.${this.core.domain}`;
    await this.#provisioning.add({
      impi: `${one.name}@${this.core.domain}`,
      publicIdentities: [this.uriOf(one), ...more].map((impu) => ({ impu })),
      credentials: { password: one.password },
      services: {
        initialFilterCriteria: [
          { priority: 1, applicationServer: { serverName: server, defaultHandling: "terminate" } },
          ...criteria,
        ],
      },
    });
    if (simservs !== undefined) {
      const document = [
        "-H",
        "Content-Type: application/vnd.etsi.simservs+xml",
        "--data-binary",
        buildSimservs(simservs),
      ];
      assert.equal(await this.xcap(one, "PUT", "", ...document), "201");
    }
    return one;
  }

  /** Status of a request of a user for his document, or for a node of it, with Digest. */
  async xcap(
    { name, password }: SippUser,
    method: string,
    node: string,
    ...more: readonly string[]
  ): Promise<string> {
    const { host, domain } = this.core;
    const url = `http://${hostInUri(host)}:7887/simservs.ngn.etsi.org/users/sip:${name}@${domain}/simservs.xml${node}`;
    const digest = ["--digest", "-u", `${name}@${domain}:${password}`];
    const asked = ["-s", "-g", "-o", "/dev/null", "-w", "%{http_code}", ...digest, "-X", method];
    return (await run("curl", [...asked, ...more, url])).stdout;
  }

  /** Diverts to a user on these conditions; none: always. */
  to(target: SippUser, ...conditions: readonly Condition[]): Simservs {
    return {
      communicationDiversion: {
        active: true,
        noReplySeconds: 5,
        rules: [
          {
            id: "only",
            conditions,
            action: {
              target: this.uriOf(target),
              notifyCaller: true,
              revealIdentityToCaller: true,
              revealServedUserIdentityToCaller: true,
              revealIdentityToTarget: true,
              noReplySeconds: undefined,
            },
          },
        ],
      },
    };
  }
}

/** Bars on these conditions; none: always. */
export function bars(...conditions: readonly Condition[]): NonNullable<Simservs["incomingBarring"]> {
  return { active: true, rules: [{ id: "only", conditions, action: { allow: false } }] };
}
