import type { TestContext } from "node:test";
import type { DiameterNode, Outcome } from "@ims/diameter";
import {
  Lir,
  Mar,
  Sar,
  ServerAssignmentTypeValue,
  Uar,
  UserDataAlreadyAvailableValue,
} from "@ims/diameter/cx";
import { startNode } from "@ims/diameter/testing";
import type { HomesteadProcess } from "./homestead-process.ts";

export const SCSCF = "sip:scscf.sprout.example.com:5054;transport=tcp";
const REALM = "example.com";

type Answer<P extends typeof Uar | typeof Lir | typeof Mar | typeof Sar> = Extract<
  Outcome<P>,
  { kind: "answer" }
>["avps"];

/** A CSCF with Cx connections to several homesteads. */
export class CxClient {
  readonly node: DiameterNode;
  readonly #serverName: string;

  private constructor(node: DiameterNode, serverName: string) {
    this.node = node;
    this.#serverName = serverName;
  }

  static async connect(
    t: TestContext,
    originHost: string,
    homesteads: readonly HomesteadProcess[],
    serverName = SCSCF,
  ): Promise<CxClient> {
    const node = startNode(t, originHost);
    for (const { ports } of homesteads) node.addPeer({ host: "127.0.0.1", port: ports["diameter"] ?? 0 });
    node.start();
    for (const { diameterHost } of homesteads) {
      if (!(await node.whenConnected(5000, diameterHost)))
        throw new Error(`no connection to ${diameterHost}`);
    }
    return new CxClient(node, serverName);
  }

  async uar(to: HomesteadProcess | undefined, name: string): Promise<Answer<typeof Uar>> {
    const avps = { ...both(name), visitedNetworkIdentifier: REALM };
    return answerOf(await this.node.request(Uar, avps, destination(to)));
  }

  async lir(to: HomesteadProcess | undefined, publicIdentity: string): Promise<Answer<typeof Lir>> {
    return answerOf(await this.node.request(Lir, { publicIdentity }, destination(to)));
  }

  async mar(to: HomesteadProcess | undefined, name: string, item: object = {}): Promise<Answer<typeof Mar>> {
    const avps = {
      ...both(name),
      serverName: this.#serverName,
      sipNumberAuthItems: 1,
      sipAuthDataItem: { sipAuthenticationScheme: "Unknown", ...item },
    };
    return answerOf(await this.node.request(Mar, avps, destination(to)));
  }

  async sar(
    to: HomesteadProcess | undefined,
    name: string,
    type: keyof typeof ServerAssignmentTypeValue,
  ): Promise<Answer<typeof Sar>> {
    const avps = {
      userName: both(name).userName,
      publicIdentity: [both(name).publicIdentity],
      serverName: this.#serverName,
      serverAssignmentType: ServerAssignmentTypeValue[type],
      userDataAlreadyAvailable: UserDataAlreadyAvailableValue.USER_DATA_NOT_AVAILABLE,
    };
    return answerOf(await this.node.request(Sar, avps, destination(to)));
  }

  /** UAR, MAR and SAR of a first registration, each to the next of the homesteads given. */
  async register(name: string, homesteads: readonly (HomesteadProcess | undefined)[]): Promise<number[]> {
    const at = (index: number): HomesteadProcess | undefined => homesteads[index % homesteads.length];
    const uaa = await this.uar(at(0), name);
    const maa = await this.mar(at(1), name);
    const saa = await this.sar(at(2), name, "REGISTRATION");
    return [uaa, maa, saa].map((avps) => codeOf(avps));
  }
}

/** Result-Code, or the code of Experimental-Result. */
export function codeOf(avps: {
  readonly resultCode?: number | undefined;
  readonly experimentalResult?: { readonly experimentalResultCode?: number | undefined } | undefined;
}): number {
  return avps.resultCode ?? avps.experimentalResult?.experimentalResultCode ?? 0;
}

function both(name: string): { readonly userName: string; readonly publicIdentity: string } {
  return { userName: `${name}@example.com`, publicIdentity: `sip:${name}@example.com` };
}

/** Who shall answer, and how long a busy machine may take. */
function destination(to: HomesteadProcess | undefined): {
  destinationRealm: string;
  destinationHost?: string;
  timeoutMs: number;
} {
  return {
    destinationRealm: REALM,
    timeoutMs: 15_000,
    ...(to === undefined ? {} : { destinationHost: to.diameterHost }),
  };
}

function answerOf<A>(outcome: { readonly kind: string; readonly avps?: A }): A {
  if (outcome.kind === "answer" && outcome.avps !== undefined) return outcome.avps;
  throw new Error(`no answer: ${outcome.kind}`);
}
