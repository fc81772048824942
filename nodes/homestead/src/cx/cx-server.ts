import type { DiameterNode } from "@ims/diameter";
import { Lir, Mar, Sar, Uar } from "@ims/diameter/cx";
import { locationInfo } from "./location-info.ts";
import type { CxModules } from "./modules.ts";
import { multimediaAuth } from "./multimedia-auth.ts";
import { serverAssignment } from "./server-assignment.ts";
import { userAuthorization } from "./user-authorization.ts";

/** Answers the Cx requests of CSCFs: TS 29.228 §6.1, §6.3. */
export function serveCx(node: DiameterNode, modules: CxModules): void {
  node.handle(Uar, ({ avps }) => userAuthorization(avps, modules));
  node.handle(Lir, ({ avps }) => locationInfo(avps, modules));
  node.handle(Mar, ({ avps }) => multimediaAuth(avps, modules));
  node.handle(Sar, ({ avps, retransmitted }) => serverAssignment(avps, modules, retransmitted));
}
