/** What a node without Cassandra keeps in its state directory and cannot do without. */
export const DATABASES = [
  "subscribers.db",
  "simservs.db",
  "call-lists.db",
  "ellis.db",
  "registrations.db",
  "registration-cursors.db",
] as const;

/**
 * Keys beside them. Not here: records that ralf has still to send (they would be sent twice), and what is made anew at each start.
 */
export const KEYS = [
  "subscribers.key",
  "pool-keys.json",
  "ellis-signup-code",
  "ellis-api-key",
  "ellis-cookie-key",
] as const;

/** In a backup: the key that the secrets of subscribers in Cassandra are sealed with. */
export const POOL_KEY = "cassandra-subscribers.key";

export const isDatabase = (name: string): boolean => name.endsWith(".db");
