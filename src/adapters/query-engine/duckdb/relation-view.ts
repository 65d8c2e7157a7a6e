/**
 * The SQL of a relation that lies in Parquet files and in memory. Columns are found by field id, so no name of a user's is
 * in the text, and only paths of our manifests are.
 */
import type { ColumnType } from "../../../core/columns/column-type.ts";
import type { EngineRelation, PersistedFilePart, PersistedPart, TimeWindow } from "../../../ports/query-engine.ts";

/** Local folders, absolute. */
export interface ParquetPlace {
  /** Object paths are relative to it. */
  readonly storeFolder: string;
  /** The only folder the engine may read: the node's Parquet files. */
  readonly allowedFolder: string;
}

const FILE_TYPE: Readonly<Record<ColumnType, string>> = {
  tag: "VARCHAR", float64: "DOUBLE", int64: "BIGINT", uint64: "UBIGINT", bool: "BOOLEAN", utf8: "VARCHAR", time: "TIMESTAMP_NS",
};

export const textSql = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** `CREATE TEMP VIEW relation_<id>`: columns `c0…`, every point once. */
export function relationView(relation: EngineRelation, persisted: PersistedPart, storeFolder: string): string {
  const { columns } = relation;
  const plain = persisted.files.filter((file) => !file.contested);
  const contested = persisted.files.filter((file) => file.contested);
  const memory = `SELECT ${columns.map(({ type }, index) => (type === "tag" ? `CAST(c${index} AS VARCHAR) AS c${index}` : `c${index}`)).join(", ")}, seq FROM tidemark_scan(${relation.id})`;
  const hasMemory = relation.batches.length > 0 || persisted.files.length === 0;
  const everything = [...filesSql(columns, contested, storeFolder), ...(persisted.memoryContested ? [memory] : [])].join(" UNION ALL ");
  const items = columns.map((_, index) => `c${index}`).join(", ");
  const parts = [...filesSql(columns, plain, storeFolder), ...(hasMemory && !persisted.memoryContested ? [memory] : [])].map((part) => `SELECT ${items} FROM (${part})`);
  if (everything !== "") {
    const inWindow = windowSql(columns, persisted.windows);
    parts.push(`SELECT ${items} FROM (${everything}) WHERE NOT (${inWindow})`, newestSql(columns, `SELECT * FROM (${everything}) WHERE ${inWindow}`));
  }
  return `CREATE TEMP VIEW relation_${relation.id} AS ${parts.join(" UNION ALL ")}`;
}

function windowSql(columns: EngineRelation["columns"], windows: readonly TimeWindow[]): string {
  const time = `c${columns.findIndex(({ type }) => type === "time")}`;
  return windows.map(({ timeMin, timeMax }) => `${time} BETWEEN CAST(${textSql(String(timeMin))} AS BIGINT) AND CAST(${textSql(String(timeMax))} AS BIGINT)`).join(" OR ");
}

/** `seq` of a file's rows is below that of all rows in memory, and ascends with the files. Nothing for no files. */
function filesSql(columns: EngineRelation["columns"], files: readonly PersistedFilePart[], storeFolder: string): readonly string[] {
  if (files.length === 0) return [];
  const schema = columns.map(({ type, fieldId }, index) => `${fieldId ?? -1}: {name: 'c${index}', type: '${FILE_TYPE[type]}', default_value: NULL}`);
  const items = columns.map(({ type }, index) => (type === "time" ? `epoch_ns(c${index}) AS c${index}` : `c${index}`));
  const list = files.map(({ path }) => textSql(`${storeFolder}/${path}`)).join(", ");
  return [`SELECT ${items.join(", ")}, CAST(file_index AS BIGINT) - ${files.length} AS seq FROM read_parquet([${list}], schema = MAP {${schema.join(", ")}})`];
}

/** The newest non-null value of each field (spec: line-protocol-and-write §7): arg_max skips NULL values. */
function newestSql(columns: EngineRelation["columns"], from: string): string {
  const isKey = ({ type }: { readonly type: ColumnType }): boolean => type === "tag" || type === "time";
  const items = columns.map((column, index) => (isKey(column) ? `c${index}` : `arg_max(c${index}, seq) AS c${index}`));
  const keys = columns.flatMap((column, index) => (isKey(column) ? [`c${index}`] : []));
  return `SELECT ${items.join(", ")} FROM (${from}) GROUP BY ${keys.join(", ")}`;
}
