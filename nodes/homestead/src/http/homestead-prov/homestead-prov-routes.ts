import type { FastifyInstance } from "fastify";
import type { RouteModules } from "../subscriber-routes.ts";
import { privateRoutes } from "./private-routes.ts";
import { profileRoutes } from "./profile-routes.ts";
import { publicRoutes } from "./public-routes.ts";
import { RepositoryDoor } from "./repository-door.ts";
import { setRoutes } from "./set-routes.ts";

/** A subscription is some kB; reading much more would hold up Cx. */
const MAX_BODY = 262_144;

/** The paths that provisioning tools of Project Clearwater use, on the same subscribers. `realm` is that of SIP Digest. */
export function homesteadProvRoutes(app: FastifyInstance, realm: string, modules: RouteModules): void {
  app.register(async (door) => {
    // Such tools say application/x-www-form-urlencoded, or nothing, of JSON and XML. Who may ask is judged before.
    door.removeAllContentTypeParsers();
    door.addContentTypeParser("*", { parseAs: "string", bodyLimit: MAX_BODY }, (_request, body, done) =>
      done(null, body),
    );
    const doorModules = { ...modules, realm, door: new RepositoryDoor(modules) };
    door.get("/ping", async (_request, reply) => reply.type("text/plain").send("OK"));
    privateRoutes(door, doorModules);
    setRoutes(door, doorModules);
    profileRoutes(door, doorModules);
    publicRoutes(door, doorModules);
  });
}
