import { createHmac } from "node:crypto";
import { z } from "zod";

/** What a client of TURN is told: draft-uberti-behave-turn-rest-00 §2.2. */
export const turnCredentialsSchema = z.object({
  username: z.string().describe("when they end, in seconds since 1970, and who asked"),
  password: z.string(),
  ttl: z.int().describe("seconds that they are good for"),
  uris: z.array(z.string()).describe("RFC 7065"),
});
export type TurnCredentials = z.output<typeof turnCredentialsSchema>;

/** Least characters of the secret that ellis shares with the TURN server. */
export const MIN_TURN_SECRET = 22;

/** Who asks again within this time is told the same, so that the server's quota of a user counts him once. */
const STEP_SECONDS = 300;

/** Credentials that whoever has the same secret believes until they end, without being told of them. `now` in ms since 1970. */
export function turnCredentials(request: {
  readonly secret: string;
  /** Whom they are for; the server logs it, and it passes in clear. */
  readonly user: string;
  readonly now: number;
  readonly ttlSeconds: number;
  readonly uris: readonly string[];
}): TurnCredentials {
  const { secret, user, now, ttlSeconds, uris } = request;
  const seconds = Math.floor(now / 1000);
  const expires = (Math.floor(seconds / STEP_SECONDS) + 1) * STEP_SECONDS + ttlSeconds;
  const username = `${expires}:${user}`;
  // §2.2: SHA-1 is what TURN servers check.
  const password = createHmac("sha1", secret).update(username).digest("base64");
  return { username, password, ttl: expires - seconds, uris: [...uris] };
}

/** A name for somebody that does not tell who it is, the same each time. */
export function turnUser(secret: string, name: string): string {
  return createHmac("sha256", secret).update(`user ${name}`).digest("hex").slice(0, 16);
}
