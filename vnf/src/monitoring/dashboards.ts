import type { Dashboard } from "./dashboard.ts";
import { calls } from "./dashboards/calls.ts";
import { diameter } from "./dashboards/diameter.ts";
import { nodes } from "./dashboards/nodes.ts";
import { overload } from "./dashboards/overload.ts";
import { overview } from "./dashboards/overview.ts";
import { pCscf } from "./dashboards/p-cscf.ts";
import { registration } from "./dashboards/registration.ts";
import { sCscf } from "./dashboards/s-cscf.ts";
import { services } from "./dashboards/services.ts";
import { stores } from "./dashboards/stores.ts";

/** As they stand in a list. */
export const dashboards: readonly Dashboard[] = [
  ...[overview, registration, calls, pCscf, sCscf],
  ...[diameter, stores, overload, nodes, services],
];
