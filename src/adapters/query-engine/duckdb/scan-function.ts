/**
 * The table function `tidemark_scan(<id>)`, registered once. The engine calls back on the JavaScript thread, which works
 * alike on Node, Deno and Bun; each call fills one vector's worth of rows, so it never holds the thread for long.
 */
import { api, TYPE_ID, type Connection } from "./bindings.ts";
import { RelationSource, ScanCursor, sequenceType } from "./scan-relation.ts";

/** Sources by relation id, of the queries that run. */
export type SourceMap = ReadonlyMap<number, RelationSource>;

interface BindData {
  readonly source: RelationSource;
}

interface InitData {
  readonly cursor: ScanCursor;
}

export function registerScan(connection: Connection, sources: SourceMap): void {
  const scan = api.create_table_function();
  const vectorSize = api.vector_size();
  api.table_function_set_name(scan, "tidemark_scan");
  api.table_function_supports_projection_pushdown(scan, true);
  api.table_function_add_parameter(scan, api.create_logical_type(TYPE_ID.BIGINT));
  api.table_function_set_bind(scan, (info) => {
    const source = sources.get(Number(api.get_int64(api.bind_get_parameter(info, 0))));
    if (source === undefined) {
      api.bind_set_error(info, "relation is not there");
      return;
    }
    source.columns.forEach((column, index) => api.bind_add_result_column(info, `c${index}`, column.logicalType));
    api.bind_add_result_column(info, "seq", sequenceType());
    api.bind_set_cardinality(info, source.rowCount, true);
    api.bind_set_bind_data(info, { source } satisfies BindData);
  });
  api.table_function_set_init(scan, (info) => {
    const { source } = api.init_get_bind_data(info) as BindData;
    const projection = Array.from({ length: api.init_get_column_count(info) }, (_, index) => api.init_get_column_index(info, index));
    api.init_set_init_data(info, { cursor: new ScanCursor(source, projection, vectorSize) } satisfies InitData);
  });
  api.table_function_set_function(scan, (info, output) => {
    const { cursor } = api.function_get_init_data(info) as InitData;
    try {
      const filled = cursor.next(vectorSize, (index) => api.data_chunk_get_vector(output, index));
      api.data_chunk_set_size(output, filled);
    } catch (error) {
      // Throwing across the native frame would end the process; the engine reports it as the query's failure.
      api.data_chunk_set_size(output, 0);
      api.function_set_error(info, `scan failed: ${String(error)}`);
    }
  });
  api.register_table_function(connection, scan);
}
