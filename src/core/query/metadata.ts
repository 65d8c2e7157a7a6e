/** The `information_schema` of one database, as rows (spec: query §2.1): names, order and Arrow type names as the reference's. */
import { ARROW_TYPE, type ColumnType } from "../columns/column-type.ts";
import { listedFunctions } from "./bind-call.ts";
import type { SourceColumn } from "./bind-context.ts";
import type { RowTable } from "./rows-to-batch.ts";
import { arrowName, DURATION } from "./types.ts";

/** A table as metadata shows it; columns in the order of `SELECT *`. */
export interface DescribedTable {
  readonly schema: "iox" | "system";
  readonly name: string;
  readonly columns: readonly SourceColumn[];
}

const text = (...names: readonly string[]): { name: string; type: ColumnType }[] => names.map((name) => ({ name, type: "utf8" }));
const whole = (name: string): { name: string; type: ColumnType } => ({ name, type: "uint64" });

/** What `df_settings` and SHOW ALL print: DataFusion's names, with what holds here. */
export const ENGINE_SETTINGS: readonly (readonly [name: string, value: string, description: string])[] = [
  ["datafusion.catalog.create_default_catalog_and_schema", "true", "Whether the default catalog and schema exist"],
  ["datafusion.catalog.default_catalog", "public", "The default catalog name"],
  ["datafusion.catalog.default_schema", "iox", "The default schema name"],
  ["datafusion.catalog.information_schema", "true", "Whether information_schema is there"],
  ["datafusion.execution.batch_size", "2048", "Rows of a batch"],
  ["datafusion.execution.time_zone", "+00:00", "The time zone of times without one"],
  ["datafusion.sql_parser.dialect", "generic", "The SQL dialect"],
  ["datafusion.sql_parser.enable_ident_normalization", "true", "Unquoted names are folded to lower case"],
  ["datafusion.sql_parser.parse_float_as_decimal", "false", "Numbers with a point are Float64"],
];

/** Order of SHOW TABLES. */
const VIEWS: Readonly<Record<string, RowTable["columns"]>> = {
  tables: text("table_catalog", "table_schema", "table_name", "table_type"),
  views: text("table_catalog", "table_schema", "table_name", "definition"),
  columns: [
    ...text("table_catalog", "table_schema", "table_name", "column_name"), whole("ordinal_position"), ...text("column_default", "is_nullable", "data_type"),
    whole("character_maximum_length"), whole("character_octet_length"), whole("numeric_precision"), whole("numeric_precision_radix"), whole("numeric_scale"),
    whole("datetime_precision"), ...text("interval_type"),
  ],
  df_settings: text("name", "value", "description"),
  schemata: text("catalog_name", "schema_name", "schema_owner", "default_character_set_catalog", "default_character_set_schema", "default_character_set_name", "sql_path"),
  routines: [
    ...text("specific_catalog", "specific_schema", "specific_name", "routine_catalog", "routine_schema", "routine_name", "routine_type"),
    { name: "is_deterministic", type: "bool" }, ...text("data_type", "function_type", "description", "syntax_example"),
  ],
  parameters: text("specific_catalog", "specific_schema", "specific_name", "parameter_name", "parameter_mode", "data_type"),
};

export const INFORMATION_SCHEMA_NAMES: readonly string[] = Object.keys(VIEWS);

export function informationSchemaColumns(name: string): RowTable["columns"] | undefined {
  return Object.hasOwn(VIEWS, name) ? VIEWS[name] : undefined;
}

/** Rows of one view; `tables` are `iox` by name, then `system` by name. */
export function informationSchemaTable(name: string, tables: readonly DescribedTable[]): RowTable | undefined {
  const columns = informationSchemaColumns(name);
  if (columns === undefined) return undefined;
  switch (name) {
    case "tables":
      return {
        columns,
        rows: [
          ...tables.map((table) => ["public", table.schema, table.name, "BASE TABLE"]),
          ...INFORMATION_SCHEMA_NAMES.map((view) => ["public", "information_schema", view, "VIEW"]),
        ],
      };
    case "columns":
      return { columns, rows: tables.flatMap(columnRows) };
    case "schemata":
      return { columns, rows: ["iox", "system", "information_schema"].map((schema) => ["public", schema]) };
    case "df_settings":
      return { columns, rows: ENGINE_SETTINGS };
    case "routines":
      return { columns, rows: listedFunctions().map(([routine, kind]) => ["public", "iox", routine, "public", "iox", routine, "FUNCTION", !VOLATILE.has(routine), null, kind]) };
    default:
      return { columns, rows: [] };
  }
}

function shownType({ type, listOf, shownAs }: SourceColumn): string {
  if (listOf !== undefined) return arrowName({ kind: "list", element: { kind: listOf } });
  return shownAs === undefined ? ARROW_TYPE[type] : arrowName(DURATION);
}

/** Another value at each call. */
const VOLATILE: ReadonlySet<string> = new Set(["random", "uuid"]);

/** character_maximum_length, character_octet_length, numeric_precision, numeric_precision_radix, as DataFusion counts them. */
const MEASURES: Readonly<Partial<Record<ColumnType, readonly (bigint | null)[]>>> = {
  utf8: [null, 2_147_483_647n], int64: [null, null, 64n, 2n], uint64: [null, null, 64n, 2n], float64: [null, null, 24n, 2n],
};

function columnRows(table: DescribedTable): unknown[][] {
  return table.columns.map((column, index) => [
    "public", table.schema, table.name, column.name, BigInt(index), null, column.type === "time" ? "NO" : "YES", shownType(column),
    ...(MEASURES[column.type] ?? []),
  ]);
}
