import { type DiameterNode, diameterProblems } from "@ims/diameter";
import type { Health, Pools } from "@ims/runtime";
import { hopTroubles, type OverloadControl, type ProxyCore, sipProblems } from "@ims/sip";
import type { SproutOptions } from "./options.ts";
import { sproutProblems } from "./problems.ts";
import type { CriteriaFiles } from "./profile/criteria-files.ts";
import type { SproutEntities } from "./sprout.ts";
import type { StoreProblems } from "./store/copies.ts";

interface Peers {
  readonly diameter: DiameterNode;
  readonly core: Pick<ProxyCore, "hops">;
  readonly overload: OverloadControl;
  readonly pools: Pools | undefined;
}

/** Tells health and alarms of HSS, next hops and overload. */
export function watchPeers(health: Health, { diameter, core, overload, pools }: Peers): void {
  const { alarms } = health;
  health.addCheck(
    "hss",
    () => (diameter.isConnected() ? undefined : "no HSS is connected"),
    sproutProblems.hssUnreachable,
  );
  alarms.watch(diameterProblems.peerLost, () =>
    diameter.awayPeers.map((object) => ({ object, text: "not connected" })),
  );
  alarms.watch(sipProblems.nextHopDown, () =>
    hopTroubles(core.hops.hops(), (address) => pools?.isMember(address) ?? true),
  );
  alarms.watch(sipProblems.overload, () => overload.problem);
}

interface Procedures {
  readonly entities: Pick<SproutEntities, "storeProblems" | "serversAway">;
  readonly criteria: CriteriaFiles;
  readonly options: Pick<SproutOptions, "site">;
}

/** Tells health and alarms of registration stores, application servers and filter criteria. */
export function watchProcedures(health: Health, { entities, criteria, options }: Procedures): void {
  const { alarms } = health;
  const { storeProblems } = entities;
  health.addNote("registrations", () => problemOf(storeProblems()));
  alarms.watch(sproutProblems.workingCopyAway, () =>
    storeProblems().working ? "the working copy does not answer" : undefined,
  );
  alarms.watch(sproutProblems.durableCopyAway, () => storeProblems().durable);
  if (options.site !== "")
    alarms.watch(sproutProblems.otherSiteAway, () =>
      storeProblems().otherSite ? "its stores do not answer; this site serves alone" : undefined,
    );
  alarms.watch(sproutProblems.applicationServerAway, () =>
    entities.serversAway().map((object) => ({ object, text: "left out until it answers a try" })),
  );
  health.addNote("applicationServers", () => {
    const away = entities.serversAway();
    return away.length === 0 ? undefined : `${away.join(", ")} away`;
  });
  health.addNote("filterCriteria", () => criteria.problem);
}

/** What /health/ready says beside "ready". */
function problemOf({ working, durable, otherSite }: StoreProblems): string | undefined {
  if (working) return "served by the durable copy, the working one does not answer";
  if (durable === undefined && otherSite) return "the stores of the other site do not answer";
  return durable === undefined ? undefined : `the durable copy does not answer: ${durable}`;
}
