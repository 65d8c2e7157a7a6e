// Goal: filters, groups, order, limits and the newest value of each column are right for any data and any simple query.
// Method: generated writes (duplicates, late rows, half of them in files) and generated queries, against a plain evaluator
// in memory; by the engine alone, and with the executors of our own. SQL_DIFFERENTIAL_ROUNDS=200 SQL_DIFFERENTIAL_QUERIES=500 runs it large; a failure names its round, which is the seed.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createFileObjectStore } from "../../../src/adapters/object-store/file.ts";
import { DuckdbEngine } from "../../../src/adapters/query-engine/duckdb/duckdb-engine.ts";
import { createSystemClock } from "../../../src/adapters/system/clock.ts";
import { formatResult } from "../../../src/core/query/format-result.ts";
import { ColumnCache } from "../../../src/engine/direct/column-cache.ts";
import { DirectQueries } from "../../../src/engine/direct/direct-queries.ts";
import { QueryService } from "../../../src/engine/query-service.ts";
import { seededRandom } from "../../../src/testing/seeded-random.ts";
import { newDisk, openStorage, request } from "../../support/open-storage.ts";
import { deduplicated, filtered, grouped, jsonLine, ordered, type Aggregate, type Cell, type Condition, type Order, type Row } from "./plain-evaluator.ts";

const ROUNDS = Number(process.env["SQL_DIFFERENTIAL_ROUNDS"] ?? 3);
const QUERIES = Number(process.env["SQL_DIFFERENTIAL_QUERIES"] ?? 60);

const folder = mkdtempSync(join(tmpdir(), "differential-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MINUTE = 60_000_000_000n;
const START = 1_767_225_600_000_000_000n;
const KINDS = { host: "tag", region: "tag", f: "float", i: "integer", u: "unsigned", b: "boolean", s: "text", time: "time" } as const;
type Column = keyof typeof KINDS;
const COLUMNS = Object.keys(KINDS).sort() as Column[];
const shown = (name: string): { name: string; kind: "time" | "float" | "other" } => ({ name, kind: KINDS[name as Column] === "time" ? "time" : KINDS[name as Column] === "float" ? "float" : "other" });

class Generator {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  some<T>(values: readonly T[], least: number): T[] {
    const kept = values.filter(() => this.chance(50));
    return kept.length >= least ? kept : [...values].slice(0, least);
  }

  /** Values that meet often; quarters, so that sums are exact in any order. */
  value(column: Column): Cell {
    switch (KINDS[column]) {
      case "tag":
        return this.pick(column === "host" ? ["a", "b", "c"] : ["north", "south é"]);
      case "float":
        return (this.below(41) - 20) / 4;
      case "integer":
        return this.chance(5) ? this.pick([9_007_199_254_740_993n, -9_007_199_254_740_993n]) : BigInt(this.below(11) - 5);
      case "unsigned":
        return this.chance(5) ? 9_223_372_036_854_775_808n : BigInt(this.below(6));
      case "boolean":
        return this.chance(50);
      case "text":
        return this.pick(["", "x", "xy", "y", "it's \"quoted\"", "a text that is longer than twelve bytes"]);
      case "time":
        return START + BigInt(this.below(40)) * MINUTE + (this.chance(20) ? 1n : 0n) - (this.chance(3) ? 100_000n * MINUTE : 0n);
    }
  }

  point(): Row {
    const fields = this.some(["f", "i", "u", "b", "s"] as const, 1);
    return Object.fromEntries([
      ...(this.chance(85) ? [["host", this.value("host")]] : []), ...(this.chance(50) ? [["region", this.value("region")]] : []), ...fields.map((name) => [name, this.value(name)]), ["time", this.value("time")],
    ]) as Row;
  }

  condition(depth: number): Condition {
    if (depth > 0 && this.chance(55)) {
      if (this.chance(20)) return { kind: "not", operand: this.condition(depth - 1) };
      return { kind: this.pick(["and", "or"] as const), left: this.condition(depth - 1), right: this.condition(depth - 1) };
    }
    const column = this.pick(COLUMNS);
    if (this.chance(12)) return { kind: "null", column, negated: this.chance(50) };
    if (KINDS[column] === "text" && this.chance(30)) return { kind: "prefix", column, text: this.pick(["x", "a t", ""]), negated: this.chance(40) };
    if (this.chance(20)) return { kind: "in", column, values: Array.from({ length: 1 + this.below(3) }, () => this.value(column)), negated: this.chance(40) };
    if (this.chance(15) && KINDS[column] !== "boolean") return { kind: "between", column, low: this.value(column), high: this.value(column), negated: this.chance(30) };
    return { kind: "compare", column, operator: this.pick(KINDS[column] === "boolean" ? (["=", "<>"] as const) : (["=", "<>", "<", "<=", ">", ">="] as const)), value: this.value(column) };
  }

  aggregate(): Aggregate {
    if (this.chance(20)) return { name: "count(*)" };
    const name = this.pick(["count", "count distinct", "sum", "min", "max", "avg"] as const);
    const columns: readonly Column[] = name === "sum" || name === "avg" ? ["f"] : name === "min" || name === "max" ? ["f", "i", "u", "s", "host", "time"] : COLUMNS;
    return { name, column: this.pick(columns) };
  }
}

function literal(value: Cell, generator: Generator): string {
  if (typeof value !== "bigint" || value < START - 1_000_000n * MINUTE || value > START + 1_000n * MINUTE) return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
  const iso = new Date(Number(value / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = value % 1_000_000_000n;
  const text = `${iso}${fraction === 0n ? "" : `.${String(fraction).padStart(9, "0")}`}`;
  return generator.pick([String(value), `'${text}Z'`, `'${text.replace("T", " ")}'`, `TIMESTAMP '${text}'`, `to_timestamp(${value})`]);
}

function conditionSql(condition: Condition, generator: Generator): string {
  const sql = (part: Condition): string => conditionSql(part, generator);
  const value = (cell: Cell): string => literal(cell, generator);
  const word = (negated: boolean): string => (negated ? "NOT " : "");
  switch (condition.kind) {
    case "compare": {
      if (!generator.chance(20)) return `${condition.column} ${condition.operator} ${value(condition.value)}`;
      const flipped = { "=": "=", "<>": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" }[condition.operator];
      return `${value(condition.value)} ${flipped} ${condition.column}`;
    }
    case "between":
      return `${condition.column} ${word(condition.negated)}BETWEEN ${value(condition.low)} AND ${value(condition.high)}`;
    case "in":
      return `${condition.column} ${word(condition.negated)}IN (${condition.values.map(value).join(", ")})`;
    case "null":
      return `${condition.column} IS ${word(condition.negated)}NULL`;
    case "prefix":
      return `${condition.column} ${word(condition.negated)}LIKE '${condition.text}%'`;
    case "not":
      return `NOT (${sql(condition.operand)})`;
    default:
      return `(${sql(condition.left)} ${condition.kind.toUpperCase()} ${sql(condition.right)})`;
  }
}

const lineOf = (point: Row): string => {
  const escaped = (text: string): string => text.replaceAll(" ", "\\ ");
  const tags = ["host", "region"].flatMap((name) => (point[name] === undefined ? [] : [`,${name}=${escaped(String(point[name]))}`])).join("");
  const field = (name: string, cell: Cell): string =>
    `${name}=${name === "s" ? `"${String(cell).replaceAll('"', '\\"')}"` : name === "i" ? `${String(cell)}i` : name === "u" ? `${String(cell)}u` : String(cell)}`;
  const fields = ["f", "i", "u", "b", "s"].flatMap((name) => (point[name] === undefined ? [] : [field(name, point[name])]));
  return `t${tags} ${fields.join(",")} ${String(point["time"])}`;
};

interface Query {
  readonly sql: string;
  readonly expected: readonly string[];
  /** Both sides are sorted first. */
  readonly unordered: boolean;
}

const orderSql = (orders: readonly Order[]): string => (orders.length === 0 ? "" : ` ORDER BY ${orders.map(({ column, descending }) => `${column}${descending ? " DESC" : ""}`).join(", ")}`);

/** A point stands once, so these columns order rows completely. */
function rowsQuery(rows: readonly Row[], generator: Generator): Query {
  const condition = generator.chance(85) ? generator.condition(3) : undefined;
  const columns = generator.some(COLUMNS, 1);
  const orders: Order[] = generator.chance(60) ? ["time", "host", "region"].map((column) => ({ column, descending: generator.chance(40) })) : [];
  const limit = orders.length > 0 && generator.chance(50) ? 1 + generator.below(20) : undefined;
  const offset = limit !== undefined && generator.chance(40) ? generator.below(10) : 0;
  const kept = ordered(filtered(rows, condition), orders).slice(offset, limit === undefined ? undefined : offset + limit);
  const where = condition === undefined ? "" : ` WHERE ${conditionSql(condition, generator)}`;
  return {
    sql: `SELECT ${columns.join(", ")} FROM t${where}${orderSql(orders)}${limit === undefined ? "" : ` LIMIT ${limit}`}${offset === 0 ? "" : ` OFFSET ${offset}`}`,
    expected: kept.map((row) => jsonLine(row, columns.map(shown))),
    unordered: orders.length === 0,
  };
}

function groupsQuery(rows: readonly Row[], generator: Generator): Query {
  const condition = generator.chance(70) ? generator.condition(2) : undefined;
  const keys = generator.some(["host", "region", "b", "i"] as const, 0);
  const binNs = generator.chance(50) ? BigInt(1 + generator.below(12)) * MINUTE : undefined;
  const aggregates = Array.from({ length: 1 + generator.below(3) }, () => generator.aggregate());
  const all = grouped(filtered(rows, condition), { keys, binNs, aggregates });
  const orders: Order[] = generator.chance(60) ? [...keys, ...(binNs === undefined ? [] : ["bin"])].map((column) => ({ column, descending: generator.chance(40) })) : [];
  const least = generator.chance(20) ? 1 + generator.below(4) : undefined;
  const countIndex = aggregates.findIndex(({ name }) => name === "count(*)");
  const having = least !== undefined && countIndex >= 0;
  const kept = ordered(having ? all.filter((row) => (row[`a${countIndex}`] as bigint) >= BigInt(least)) : all, orders);
  const call = (aggregate: Aggregate): string => (aggregate.name === "count(*)" ? "count(*)" : aggregate.name === "count distinct" ? `count(DISTINCT ${aggregate.column})` : `${aggregate.name}(${aggregate.column})`);
  const items = [
    ...keys, ...(binNs === undefined ? [] : [`date_bin(INTERVAL '${binNs / MINUTE} minutes', time) AS bin`]), ...aggregates.map((aggregate, index) => `${call(aggregate)} AS a${index}`),
  ];
  const groups = [...keys, ...(binNs === undefined ? [] : ["bin"])];
  const kindOf = (aggregate: Aggregate): "time" | "float" | "other" => (aggregate.name === "avg" ? "float" : "column" in aggregate && ["min", "max", "sum"].includes(aggregate.name) ? shown(aggregate.column).kind : "other");
  const columns = [...keys.map(shown), ...(binNs === undefined ? [] : [{ name: "bin", kind: "time" as const }]), ...aggregates.map((aggregate, index) => ({ name: `a${index}`, kind: kindOf(aggregate) }))];
  const where = condition === undefined ? "" : ` WHERE ${conditionSql(condition, generator)}`;
  return {
    sql: `SELECT ${items.join(", ")} FROM t${where}${groups.length === 0 ? "" : ` GROUP BY ${groups.join(", ")}`}${having ? ` HAVING count(*) >= ${least}` : ""}${orderSql(orders)}`,
    expected: kept.map((row) => jsonLine(row, columns)),
    unordered: orders.length === 0,
  };
}

function distinctQuery(rows: readonly Row[], generator: Generator): Query {
  const columns = generator.some(["host", "region", "i", "b", "s"] as const, 1);
  const condition = generator.chance(50) ? generator.condition(2) : undefined;
  const where = condition === undefined ? "" : ` WHERE ${conditionSql(condition, generator)}`;
  const lines = new Set(filtered(rows, condition).map((row) => jsonLine(row, columns.map(shown))));
  return { sql: `SELECT DISTINCT ${columns.join(", ")} FROM t${where}`, expected: [...lines], unordered: true };
}

async function linesOf(service: QueryService, sql: string): Promise<string[]> {
  let text = "";
  for await (const piece of formatResult(await service.query({ database: "db", sql }), "jsonl")) text += piece;
  return text.split("\n").slice(0, -1);
}

describe("generated queries over generated data", () => {
  test.each(Array.from({ length: ROUNDS }, (_, index) => index + 1))("round %i", { timeout: 600_000 }, async (round) => {
    const generator = new Generator(round);
    const storeFolder = join(folder, String(round));
    let names = 0;
    const parquetStore = createFileObjectStore({ folder: storeFolder, randomName: () => `x${names++}` });
    const opened = await openStorage(newDisk(), { parquetStore });
    const clock = createSystemClock();
    const engine = await DuckdbEngine.open({ clock, parquet: { storeFolder, allowedFolder: `${storeFolder}/n0/dbs/` } });
    const general = { catalog: opened.catalog, source: opened.storage, engine, systemTables: { table: () => undefined, names: () => [] }, clock, limits: { timeoutMs: 20_000 } };
    const columns = new ColumnCache((path) => parquetStore.get(path), 16_777_216);
    const direct = new DirectQueries({ columns, clock, log: { log: () => undefined }, yieldToEventLoop: () => new Promise((resolve) => setImmediate(resolve)) });
    const services = [new QueryService(general), new QueryService({ ...general, direct })];
    // Every column is there from the start.
    const points: Row[] = [{ host: "a", region: "north", f: 0, i: 0n, u: 0n, b: true, s: "", time: START }];
    const batches = 4 + generator.below(8);
    for (let batch = 0; batch < batches; batch++) {
      const fresh = batch === 0 ? points : Array.from({ length: 1 + generator.below(60) }, () => generator.point());
      if (batch > 0) points.push(...fresh);
      await opened.storage.write(request(fresh.map(lineOf).join("\n")));
      if (generator.chance(40)) await opened.storage.snapshotNow();
    }
    const rows = deduplicated(points, ["host", "region", "time"]);
    for (let query = 0; query < QUERIES; query++) {
      const { sql, expected, unordered } = generator.pick([rowsQuery, groupsQuery, distinctQuery])(rows, generator);
      for (const [index, service] of services.entries()) {
        const actual = await linesOf(service, sql);
        expect({ round, index, sql, rows: unordered ? actual.sort() : actual }).toEqual({ round, index, sql, rows: unordered ? [...expected].sort() : expected });
      }
    }
    await engine.close();
  });
});
