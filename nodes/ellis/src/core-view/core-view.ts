import type { CoreAlarms, PoolMap, ProvisioningClient, RecentPage, RegistrationsPage } from "@ims/api";
import type { Clock } from "@ims/runtime";
import { coreAlarms } from "./core-alarms.ts";
import { CoreNodes, type CoreNodesOptions } from "./core-nodes.ts";
import { CoreWatch } from "./core-watch.ts";
import { CoreLadders } from "./ladders.ts";
import { NodeClient } from "./node-client.ts";
import { Places } from "./places.ts";
import { Recent, type RecentAsked } from "./recent.ts";
import { type RegistrationsModules, registrationsPage } from "./registrations.ts";
import { SharedAnswers } from "./shared-answers.ts";
import { Turns } from "./turns.ts";

/** Of one answer: metrics of a large node are below this. */
const LONGEST_ANSWER = 8_000_000;
const PATIENCE_MS = 2_000;
const MOST_STREAMS = 64;
/** Of one of the staff. */
export const STREAMS_EACH = 8;

export interface CoreViewOptions extends CoreNodesOptions {
  /** The management token. */
  readonly token: string | undefined;
  readonly homeDomain: string;
  readonly provisioning: { readonly url: string; readonly token: string | undefined };
  /** How long a node may take, ms. */
  readonly patienceMs?: number;
}

export interface CoreViewModules {
  readonly clock: Clock;
  readonly homestead: Pick<ProvisioningClient, "list">;
}

/** What staff sees of the core. Answers are shared by all who ask, nodes are asked within bounds, and one that is away leaves the others. */
export class CoreView {
  readonly nodes: CoreNodes;
  readonly ladders: CoreLadders;
  /** Streams that are open at a time. */
  readonly streams = new Places({ most: MOST_STREAMS, mostEach: STREAMS_EACH });
  readonly #watch: CoreWatch;
  readonly #recent: Recent;
  readonly #parts: RegistrationsModules;

  constructor(options: CoreViewOptions, { clock, homestead }: CoreViewModules) {
    const { token, provisioning, homeDomain, patienceMs = PATIENCE_MS } = options;
    const client = new NodeClient({ token, patienceMs, longest: LONGEST_ANSWER });
    const shared = new SharedAnswers(clock);
    this.nodes = new CoreNodes(options);
    this.#watch = new CoreWatch({ nodes: this.nodes, client, shared, clock });
    const watch = this.#watch;
    this.#parts = { watch, client, shared, clock, homestead, homeDomain, turns: new Turns() };
    this.#recent = new Recent({ watch, client, shared, clock });
    this.ladders = new CoreLadders({
      ...{ watch, client, shared, clock, patienceMs, provisioning },
      turns: new Turns(),
    });
  }

  start(): void {
    this.#watch.start();
  }

  stop(): void {
    this.#watch.stop();
    this.ladders.stop();
  }

  pools(): Promise<PoolMap> {
    return this.#watch.map();
  }

  alarms(): Promise<CoreAlarms> {
    return coreAlarms(this.#parts);
  }

  recent(asked: RecentAsked): Promise<RecentPage> {
    return this.#recent.page(asked);
  }

  registrations(asked: {
    readonly search?: string | undefined;
    readonly after?: string | undefined;
  }): Promise<RegistrationsPage> {
    return registrationsPage(asked, this.#parts);
  }
}
