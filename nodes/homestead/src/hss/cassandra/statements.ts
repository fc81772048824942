import { type Statement, settlingRead, statement } from "./cql.ts";

/** CQL on the tables of schema.ts. */

const STATE =
  "record_version, state, pending, server_name, origin_host, origin_realm, sqn, states, state_version";
const WHOLE = `impi, identities, credentials, services, parts, ${STATE}`;

export const selectState = statement(`SELECT ${STATE} FROM keyspace.subscriber WHERE impi = ?`);
export const selectSubscriber = statement(`SELECT ${WHOLE} FROM keyspace.subscriber WHERE impi = ?`);
export const selectFirst = statement(`SELECT ${WHOLE} FROM keyspace.subscriber LIMIT ?`);
export const selectAfter = statement(
  `SELECT ${WHOLE} FROM keyspace.subscriber WHERE token(impi) > token(?) LIMIT ?`,
);
/** What a claim is worth: see Claims. */
export const settleSubscriber = settlingRead(
  "SELECT impi, identities, parts, record_version, operation FROM keyspace.subscriber WHERE impi = ?",
);

export const saveState = statement(
  `UPDATE keyspace.subscriber SET state = ?, pending = ?, server_name = ?, origin_host = ?, origin_realm = ?, sqn = ?,
   state_version = ? WHERE impi = ? IF state_version = ? AND record_version = ?`,
);

/** The same of a subscription with several parts. */
export const saveStates = statement(
  `UPDATE keyspace.subscriber SET states = ?, server_name = ?, origin_host = ?, origin_realm = ?, state_version = ?
   WHERE impi = ? IF state_version = ? AND record_version = ?`,
);

/** Begins the first write of a subscriber. */
export const beginInsert = statement(
  "INSERT INTO keyspace.subscriber (impi, operation) VALUES (?, ?) IF NOT EXISTS",
);
/** Begins a later one, or takes over what another operation left. */
export const beginReplace = statement(
  "UPDATE keyspace.subscriber SET operation = ? WHERE impi = ? IF operation = ? AND record_version = ?",
);
export const commitInsert = statement(
  `UPDATE keyspace.subscriber SET identities = ?, credentials = ?, services = ?, parts = ?, record_version = ?,
   operation = null, state = 'notRegistered', pending = false, sqn = ?, states = ?, state_version = ?
   WHERE impi = ? IF operation = ? AND record_version = null`,
);
export const commitReplace = statement(
  `UPDATE keyspace.subscriber SET identities = ?, credentials = ?, services = ?, record_version = ?, operation = null
   WHERE impi = ? IF operation = ? AND record_version = ?`,
);
/** With another SQN: vectors in work by the old one must not be handed out. */
export const commitReplaceWithSqn = statement(
  `UPDATE keyspace.subscriber SET identities = ?, credentials = ?, services = ?, record_version = ?, operation = null,
   sqn = ?, state_version = ? WHERE impi = ? IF operation = ? AND record_version = ?`,
);
/** Of one with several parts, whose state follows them: nobody may have changed that since it was read. */
export const commitReplaceParts = statement(
  `UPDATE keyspace.subscriber SET identities = ?, credentials = ?, services = ?, parts = ?, record_version = ?,
   operation = null, states = ?, server_name = ?, origin_host = ?, origin_realm = ?, state_version = ?
   WHERE impi = ? IF operation = ? AND record_version = ? AND state_version = ?`,
);
export const abortInsert = statement(
  "DELETE FROM keyspace.subscriber WHERE impi = ? IF operation = ? AND record_version = null",
);
export const abortReplace = statement(
  "UPDATE keyspace.subscriber SET operation = null WHERE impi = ? IF operation = ?",
);
export const removeSubscriber = statement(
  "DELETE FROM keyspace.subscriber WHERE impi = ? IF record_version = ? AND state_version = ? AND operation = null",
);

export const selectWildcards = statement(
  "SELECT canonical, impi FROM keyspace.subscriber_wildcard WHERE bucket = 'all'",
);

export const selectIdentities = statement(
  "SELECT canonical FROM keyspace.subscriber_identity WHERE token(canonical) >= ? AND token(canonical) <= ? LIMIT ?",
);

/** Statements on claims: the same for both tables. */
export type ClaimStatements = {
  readonly select: Statement;
  readonly settle: Statement;
  readonly insert: Statement;
  readonly take: Statement;
  readonly release: Statement;
};

export const identityClaims = claimStatements(
  "SELECT impi, operation FROM keyspace.subscriber_identity WHERE canonical = ?",
  "INSERT INTO keyspace.subscriber_identity (impi, operation, canonical) VALUES (?, ?, ?) IF NOT EXISTS",
  "UPDATE keyspace.subscriber_identity SET impi = ?, operation = ? WHERE canonical = ? IF impi = ? AND operation = ?",
  "DELETE FROM keyspace.subscriber_identity WHERE canonical = ? IF impi = ? AND operation = ?",
);

export const wildcardClaims = claimStatements(
  "SELECT impi, operation FROM keyspace.subscriber_wildcard WHERE bucket = 'all' AND canonical = ?",
  `INSERT INTO keyspace.subscriber_wildcard (bucket, impi, operation, canonical) VALUES ('all', ?, ?, ?) IF NOT EXISTS`,
  `UPDATE keyspace.subscriber_wildcard SET impi = ?, operation = ? WHERE bucket = 'all' AND canonical = ?
   IF impi = ? AND operation = ?`,
  "DELETE FROM keyspace.subscriber_wildcard WHERE bucket = 'all' AND canonical = ? IF impi = ? AND operation = ?",
);

function claimStatements(select: string, insert: string, take: string, release: string): ClaimStatements {
  return {
    select: statement(select),
    settle: settlingRead(select),
    insert: statement(insert),
    take: statement(take),
    release: statement(release),
  };
}

export const selectProof = statement("SELECT proof FROM keyspace.subscriber_key WHERE id = 'pool'");
export const insertProof = statement(
  "INSERT INTO keyspace.subscriber_key (id, proof) VALUES ('pool', ?) IF NOT EXISTS",
);
