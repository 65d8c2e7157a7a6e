/**
 * A plain evaluator of simple queries over rows in memory, the other side of the differential test. It shares nothing with
 * the front end or the engine but the words of SQL: rows are objects, conditions are trees with three-valued truth.
 */
export type Cell = string | number | bigint | boolean | null;
export type Row = Readonly<Record<string, Cell>>;
export type Truth = boolean | null;

export type Condition =
  | { readonly kind: "compare"; readonly column: string; readonly operator: "=" | "<>" | "<" | "<=" | ">" | ">="; readonly value: Cell }
  | { readonly kind: "between"; readonly column: string; readonly low: Cell; readonly high: Cell; readonly negated: boolean }
  | { readonly kind: "in"; readonly column: string; readonly values: readonly Cell[]; readonly negated: boolean }
  | { readonly kind: "null"; readonly column: string; readonly negated: boolean }
  | { readonly kind: "prefix"; readonly column: string; readonly text: string; readonly negated: boolean }
  | { readonly kind: "not"; readonly operand: Condition }
  | { readonly kind: "and" | "or"; readonly left: Condition; readonly right: Condition };

const compare = (left: Exclude<Cell, null>, right: Exclude<Cell, null>): number => {
  if (typeof left === "string" && typeof right === "string") return Buffer.compare(Buffer.from(left), Buffer.from(right));
  return left < right ? -1 : left > right ? 1 : 0;
};

const not = (truth: Truth): Truth => (truth === null ? null : !truth);
const and = (left: Truth, right: Truth): Truth => (left === false || right === false ? false : left === null || right === null ? null : true);
const or = (left: Truth, right: Truth): Truth => not(and(not(left), not(right)));

const TESTS: Readonly<Record<string, (order: number) => boolean>> = {
  "=": (order) => order === 0, "<>": (order) => order !== 0, "<": (order) => order < 0, "<=": (order) => order <= 0, ">": (order) => order > 0, ">=": (order) => order >= 0,
};

const test = (left: Cell, operator: string, right: Cell): Truth => (left === null || right === null ? null : (TESTS[operator] as (order: number) => boolean)(compare(left, right)));

export function holds(condition: Condition, row: Row): Truth {
  switch (condition.kind) {
    case "compare":
      return test(row[condition.column] ?? null, condition.operator, condition.value);
    case "between": {
      const cell = row[condition.column] ?? null;
      const inside = and(test(cell, ">=", condition.low), test(cell, "<=", condition.high));
      return condition.negated ? not(inside) : inside;
    }
    case "in": {
      const found = condition.values.map((value) => test(row[condition.column] ?? null, "=", value)).reduce(or, false);
      return condition.negated ? not(found) : found;
    }
    case "null":
      return ((row[condition.column] ?? null) === null) !== condition.negated;
    case "prefix": {
      const cell = row[condition.column] ?? null;
      return cell === null ? null : String(cell).startsWith(condition.text) !== condition.negated;
    }
    case "not":
      return not(holds(condition.operand, row));
    case "and":
      return and(holds(condition.left, row), holds(condition.right, row));
    case "or":
      return or(holds(condition.left, row), holds(condition.right, row));
  }
}

export const filtered = (rows: readonly Row[], condition: Condition | undefined): Row[] => rows.filter((row) => condition === undefined || holds(condition, row) === true);

export interface Order {
  readonly column: string;
  readonly descending: boolean;
}

/** NULL is greater than every value: last when ascending, first when descending. */
export function ordered(rows: readonly Row[], orders: readonly Order[]): Row[] {
  const place = (left: Cell, right: Cell): number => {
    if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
    return compare(left, right);
  };
  return [...rows].sort((a, b) => {
    for (const { column, descending } of orders) {
      const order = place(a[column] ?? null, b[column] ?? null);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
}

/** The newest value that is there, column by column, for each tag set and time; `points` in the order they were written. */
export function deduplicated(points: readonly Row[], keys: readonly string[]): Row[] {
  const rows = new Map<string, Record<string, Cell>>();
  for (const point of points) {
    const key = JSON.stringify(keys.map((name) => String(point[name] ?? "\u0000")));
    const row = rows.get(key) ?? {};
    for (const [name, value] of Object.entries(point)) if (value !== null) row[name] = value;
    rows.set(key, row);
  }
  return [...rows.values()];
}

export type Aggregate = { readonly name: "count(*)" } | { readonly name: "count" | "count distinct" | "sum" | "min" | "max" | "avg"; readonly column: string };

export interface GroupedQuery {
  readonly keys: readonly string[];
  /** Nanoseconds of a bin of `time`, which then is the key "bin". */
  readonly binNs: bigint | undefined;
  readonly aggregates: readonly Aggregate[];
}

/** One row a group, aggregates as `a0`, `a1` …; without a key there is one group, even of no rows. */
export function grouped(rows: readonly Row[], { keys, binNs, aggregates }: GroupedQuery): Row[] {
  const groups = new Map<string, { readonly key: Record<string, Cell>; readonly rows: Row[] }>();
  const bare = keys.length === 0 && binNs === undefined;
  if (bare) groups.set("", { key: {}, rows: [] });
  for (const row of rows) {
    const key: Record<string, Cell> = Object.fromEntries(keys.map((name) => [name, row[name] ?? null]));
    if (binNs !== undefined) {
      const time = row["time"] as bigint;
      key["bin"] = time - (((time % binNs) + binNs) % binNs);
    }
    const text = bare ? "" : JSON.stringify(Object.values(key).map((cell) => (cell === null ? null : String(cell))));
    const group = groups.get(text) ?? { key, rows: [] };
    group.rows.push(row);
    groups.set(text, group);
  }
  return [...groups.values()].map((group) => ({ ...group.key, ...Object.fromEntries(aggregates.map((aggregate, index) => [`a${index}`, aggregated(group.rows, aggregate)])) }));
}

function aggregated(rows: readonly Row[], aggregate: Aggregate): Cell {
  if (aggregate.name === "count(*)") return BigInt(rows.length);
  const cells = rows.map((row) => row[aggregate.column] ?? null).filter((cell): cell is Exclude<Cell, null> => cell !== null);
  switch (aggregate.name) {
    case "count":
      return BigInt(cells.length);
    case "count distinct":
      return BigInt(new Set(cells).size);
    case "sum":
      return cells.length === 0 ? null : (cells as (number & bigint)[]).reduce((a, b) => (a + b) as number & bigint);
    case "avg":
      return cells.length === 0 ? null : cells.reduce((sum: number, cell) => sum + Number(cell), 0) / cells.length;
    case "min":
      return cells.length === 0 ? null : cells.reduce((a, b) => (compare(b, a) < 0 ? b : a));
    case "max":
      return cells.length === 0 ? null : cells.reduce((a, b) => (compare(b, a) > 0 ? b : a));
  }
}

/** A row as JSON lines print it: NULL left out, floats with a point, times as ISO text. */
export function jsonLine(row: Row, columns: readonly { readonly name: string; readonly kind: "time" | "float" | "other" }[]): string {
  const members = columns.flatMap(({ name, kind }) => {
    const cell = row[name] ?? null;
    if (cell === null) return [];
    return [`${JSON.stringify(name)}:${kind === "time" ? `"${isoTime(cell as bigint)}"` : kind === "float" ? floatText(cell as number) : typeof cell === "bigint" ? String(cell) : JSON.stringify(cell)}`];
  });
  return `{${members.join(",")}}`;
}

const floatText = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

function isoTime(ns: bigint): string {
  const fraction = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const whole = new Date(Number((ns - fraction) / 1_000_000n)).toISOString().slice(0, 19);
  const digits = String(fraction).padStart(9, "0");
  return fraction === 0n ? whole : `${whole}.${digits.replace(/0{6}$|0{3}$/, "")}`;
}
