import { type ProvisioningClient, staffPageQuerySchema } from "@ims/api";
import type { FastifyInstance } from "fastify";
import { queryOf, read } from "./fields.ts";
import { askedOf } from "./homestead-refusal.ts";

export interface SubscriberModules {
  readonly homestead: ProvisioningClient;
}

/** Subscribers for staff, by homestead's provisioning API. */
export function subscriberRoutes(app: FastifyInstance, { homestead }: SubscriberModules): void {
  app.get("/staff/subscribers", { config: { resource: "subscribers", role: "viewer" } }, async (request) => {
    const { after, limit, search } = read(staffPageQuerySchema, queryOf(request));
    return askedOf(() =>
      homestead.list({
        limit,
        ...(after === undefined || after === "" ? {} : { after }),
        ...(search === undefined || search === "" ? {} : { search }),
      }),
    );
  });
}
