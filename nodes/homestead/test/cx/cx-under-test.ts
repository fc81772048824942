import { createSecretKey } from "node:crypto";
import type { TestContext } from "node:test";
import type { DiameterNode, Outcome } from "@ims/diameter";
import { cx, Lir, Mar, Sar, ServerAssignmentTypeValue, Uar } from "@ims/diameter/cx";
import { startNode } from "@ims/diameter/testing";
import type { InitialFilterCriteria } from "@ims/ims";
import { systemClock } from "@ims/runtime";
import { memoryLogger } from "@ims/runtime/testing";
import { randomChallenges } from "../../src/aka/random.ts";
import { serveCx } from "../../src/cx/cx-server.ts";
import type { CxOptions } from "../../src/cx/modules.ts";
import { ServingHosts } from "../../src/cx/serving-hosts.ts";
import { digestCredentials } from "../../src/hss/digest.ts";
import { EmbeddedRepository } from "../../src/hss/embedded-repository.ts";
import { sealingWith } from "../../src/hss/sealing.ts";
import { SqliteTables } from "../../src/hss/sqlite-tables.ts";
import { type AkaCredentials, noServices } from "../../src/hss/subscriber.ts";

export const REALM = "example.com";
export const ALICE = "alice@example.com";
export const ALICE_URI = "sip:alice@example.com";
export const SCSCF = "sip:scscf.example.com:5054;transport=tcp";

export type NewSubscriber = {
  readonly impi?: string;
  readonly impus?: readonly (string | { readonly impu: string; readonly barred: boolean })[];
  readonly password?: string | undefined;
  readonly aka?: AkaCredentials;
  readonly sqn?: number;
  readonly ifc?: readonly InitialFilterCriteria[];
  readonly capabilities?: readonly number[];
};

/** A homestead's Cx side with a database in memory, and a CSCF that asks it over loopback. */
export type CxUnderTest = {
  readonly hss: EmbeddedRepository;
  readonly server: DiameterNode;
  readonly servers: ServingHosts;
  readonly options: CxOptions;
  readonly cscf: DiameterNode;
  add(subscriber?: NewSubscriber): void;
  uar(overrides?: object): Promise<Answer<typeof Uar>>;
  lir(overrides?: object): Promise<Answer<typeof Lir>>;
  mar(overrides?: object): Promise<Answer<typeof Mar>>;
  sar(type: keyof typeof ServerAssignmentTypeValue, overrides?: object): Promise<Answer<typeof Sar>>;
  /** UAR, MAR, SAR as for a first registration. */
  register(): Promise<void>;
};

type Answer<P extends typeof Uar | typeof Lir | typeof Mar | typeof Sar> = Extract<
  Outcome<P>,
  { kind: "answer" }
>["avps"];

export function memoryHss(t: TestContext): EmbeddedRepository {
  const tables = new SqliteTables(":memory:", sealingWith(createSecretKey(Buffer.alloc(32, 1))));
  const hss = new EmbeddedRepository(
    tables,
    { cacheSize: 100 },
    { clock: systemClock(), log: memoryLogger("silent") },
  );
  t.after(() => hss.close());
  return hss;
}

export function addSubscriber(hss: EmbeddedRepository, given: NewSubscriber = {}): void {
  const impi = given.impi ?? ALICE;
  const password = "password" in given ? given.password : "secret";
  const result = hss.insert({
    impi,
    identities: (given.impus ?? [`sip:${impi}`]).map((each) =>
      typeof each === "string" ? { impu: each, barred: false } : each,
    ),
    credentials: {
      digest: password === undefined ? undefined : digestCredentials(impi, REALM, password),
      aka: given.aka,
    },
    services: {
      initialFilterCriteria: given.ifc ?? [],
      sharedIfcSetIds: [],
      capabilities: { ...noServices.capabilities, mandatory: given.capabilities ?? [] },
    },
    sqn: given.sqn ?? 0,
  });
  if (result instanceof Promise) throw new Error("an import is running");
  if (result.kind !== "written") throw new Error(`not added: ${result.kind}`);
}

export async function startCx(t: TestContext, options: Partial<CxOptions> = {}): Promise<CxUnderTest> {
  const hss = memoryHss(t);
  const server = startNode(t, "homestead.example.com", { applications: [cx] });
  const servers = new ServingHosts((originHost) => server.isConnected(originHost));
  const given: CxOptions = {
    allowedVisitedNetworks: [],
    mandatoryCapabilities: [],
    optionalCapabilities: [],
    ...options,
  };
  serveCx(server, { hss, servers, nextRand: randomChallenges(), options: given });
  const port = await server.listen({ host: "127.0.0.1", port: 0 });
  server.start();
  const cscf = startNode(t, "sprout.example.com", { applications: [cx] });
  cscf.addPeer({ host: "127.0.0.1", port });
  cscf.start();
  await cscf.whenConnected(5000);
  const to = { destinationRealm: REALM };
  const both = { userName: ALICE, publicIdentity: ALICE_URI };
  const avpsOf = <A>(outcome: { kind: string; avps?: A }): A => {
    if (outcome.kind !== "answer" || outcome.avps === undefined)
      throw new Error(`no answer: ${outcome.kind}`);
    return outcome.avps;
  };
  const test: CxUnderTest = {
    hss,
    server,
    servers,
    options: given,
    cscf,
    add: (subscriber) => addSubscriber(hss, subscriber),
    uar: async (overrides) =>
      avpsOf(await cscf.request(Uar, { ...both, visitedNetworkIdentifier: "visited.net", ...overrides }, to)),
    lir: async (overrides) =>
      avpsOf(await cscf.request(Lir, { publicIdentity: ALICE_URI, ...overrides }, to)),
    mar: async (overrides) =>
      avpsOf(
        await cscf.request(
          Mar,
          {
            ...both,
            serverName: SCSCF,
            sipNumberAuthItems: 1,
            sipAuthDataItem: { sipAuthenticationScheme: "Unknown" },
            ...overrides,
          },
          to,
        ),
      ),
    sar: async (type, overrides) =>
      avpsOf(
        await cscf.request(
          Sar,
          {
            userName: ALICE,
            publicIdentity: [ALICE_URI],
            serverName: SCSCF,
            serverAssignmentType: ServerAssignmentTypeValue[type],
            userDataAlreadyAvailable: 0,
            ...overrides,
          },
          to,
        ),
      ),
    async register() {
      await test.uar();
      await test.mar();
      await test.sar("REGISTRATION");
    },
  };
  return test;
}
