import type { Row } from "@ims/store";
import { type SchemaVersion, type TableDefinition, tableSchema } from "../archive/format.ts";
import { storeFault } from "../errors.ts";
import type { Ask } from "./ask.ts";
import { isKnownType } from "./cql-values.ts";

/** Of the migrations and of a restore: not contents. */
const BOOKKEEPING = new Set(["schema_version", "schema_lease", "restore_progress"]);

const TABLES = `SELECT table_name, id, comment, gc_grace_seconds, default_time_to_live, speculative_retry, compaction
  FROM system_schema.tables WHERE keyspace_name = ?`;
const COLUMNS = `SELECT table_name, column_name, kind, position, clustering_order, type
  FROM system_schema.columns WHERE keyspace_name = ?`;
const INDEXES = "SELECT table_name, index_name, options FROM system_schema.indexes WHERE keyspace_name = ?";

/**
 * The tables of a keyspace as they are, whichever release made them. What others are found by has their name and more, and comes before
 * them: subscriber_identity, subscriber. @throws BackupError BACKUP_STORE
 */
export async function describeTables(ask: Ask): Promise<TableDefinition[]> {
  const { keyspace } = ask.session;
  const [tables, columns, indexes] = await Promise.all(
    [TABLES, COLUMNS, INDEXES].map((cql) => ask.rows(cql, [keyspace])),
  );
  const of = (rows: readonly Row[] | undefined, table: unknown): readonly Row[] =>
    (rows ?? []).filter((row) => row["table_name"] === table);
  return (tables ?? [])
    .filter((row) => !BOOKKEEPING.has(String(row["table_name"])))
    .map((row) => definitionOf(keyspace, row, of(columns, row["table_name"]), of(indexes, row["table_name"])))
    .sort((one, other) => (one.name < other.name ? 1 : -1));
}

function definitionOf(
  keyspace: string,
  row: Row,
  columns: readonly Row[],
  indexes: readonly Row[],
): TableDefinition {
  const name = String(row["table_name"]);
  const table = tableSchema.safeParse({
    name,
    id: String(row["id"]),
    columns: columns.map((column) => ({
      name: column["column_name"],
      type: column["type"],
      kind: column["kind"],
      position: column["position"],
      descending: column["clustering_order"] === "desc",
    })),
    comment: row["comment"] ?? "",
    gcGraceSeconds: row["gc_grace_seconds"],
    defaultTimeToLive: row["default_time_to_live"] ?? 0,
    speculativeRetry: row["speculative_retry"],
    compaction: row["compaction"],
    indexes: indexes.map((index) => ({
      name: index["index_name"],
      target: (index["options"] as Record<string, unknown> | null)?.["target"],
    })),
  });
  if (!table.success) {
    const [issue] = table.error.issues;
    const problem = `${issue?.path.join(".")}: ${issue?.message}`;
    throw storeFault(`table ${keyspace}.${name}`, `cannot be archived by this release (${problem})`);
  }
  for (const column of table.data.columns)
    if (!isKnownType(column.type))
      throw storeFault(
        `table ${keyspace}.${name}`,
        `column ${column.name} has a type that cannot be archived by this release (${column.type})`,
      );
  return table.data;
}

/** What the migrations of each component have recorded. */
export async function schemaVersions(ask: Ask): Promise<SchemaVersion[]> {
  const { keyspace } = ask.session;
  const [table] = await ask.rows(
    "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'schema_version'",
    [keyspace],
  );
  if (table === undefined) return [];
  const rows = await ask.rows("SELECT component, version, name, checksum FROM keyspace.schema_version");
  return rows
    .map((row) => ({
      component: String(row["component"]),
      version: Number(row["version"]),
      name: String(row["name"]),
      checksum: String(row["checksum"]),
    }))
    .sort((one, other) =>
      one.component === other.component
        ? one.version - other.version
        : one.component < other.component
          ? -1
          : 1,
    );
}

/** The newest version of each component. */
export function newestOf(versions: readonly SchemaVersion[]): Map<string, number> {
  const newest = new Map<string, number>();
  for (const { component, version } of versions)
    newest.set(component, Math.max(version, newest.get(component) ?? 0));
  return newest;
}

export function primaryKey({ columns }: TableDefinition): {
  readonly partition: readonly string[];
  readonly clustering: readonly { readonly name: string; readonly descending: boolean }[];
} {
  const of = (kind: string) =>
    columns.filter((column) => column.kind === kind).sort((one, other) => one.position - other.position);
  return { partition: of("partition_key").map(({ name }) => name), clustering: of("clustering") };
}

export const quoted = (name: string): string => `"${name}"`;

/** The statements that make the table again; `id`: the identity it had. */
export function createStatements(table: TableDefinition, id: string | undefined): string[] {
  const { partition, clustering } = primaryKey(table);
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
  const columns = table.columns.map(({ name, type }) => `${quoted(name)} ${type}`);
  const keys = [`(${partition.map(quoted).join(", ")})`, ...clustering.map(({ name }) => quoted(name))];
  const order = clustering.map(({ name, descending }) => `${quoted(name)} ${descending ? "DESC" : "ASC"}`);
  const compaction = Object.entries(table.compaction).map(([name, value]) => `${text(name)}: ${text(value)}`);
  const options = [
    ...(id === undefined ? [] : [`id = ${id}`]),
    ...(order.length === 0 ? [] : [`CLUSTERING ORDER BY (${order.join(", ")})`]),
    `comment = ${text(table.comment)}`,
    `gc_grace_seconds = ${table.gcGraceSeconds}`,
    `default_time_to_live = ${table.defaultTimeToLive}`,
    `speculative_retry = ${text(table.speculativeRetry)}`,
    `compaction = {${compaction.join(", ")}}`,
  ];
  return [
    `CREATE TABLE IF NOT EXISTS keyspace.${table.name} (${columns.join(", ")}, PRIMARY KEY (${keys.join(", ")})) WITH ${options.join(" AND ")}`,
    ...table.indexes.map(
      ({ name, target }) =>
        `CREATE INDEX IF NOT EXISTS ${quoted(name)} ON keyspace.${table.name} (${quoted(target)})`,
    ),
  ];
}
