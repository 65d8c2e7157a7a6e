/** The typed syntax tree of the SQL that is let through. `at` is a character offset into the query text. */

export interface Identifier {
  /** Unquoted names are folded to lower case. */
  readonly name: string;
  readonly at: number;
}

export type BinaryOperator =
  | "or" | "and" | "=" | "<>" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%" | "||"
  | "~" | "~*" | "!~" | "!~*" | "&" | "|" | "#" | "<<" | ">>" | "is-distinct" | "is-not-distinct";

export type LiteralValue = { readonly kind: "null" } | { readonly kind: "boolean"; readonly value: boolean } | { readonly kind: "number" | "string"; readonly text: string };

/** `TIMESTAMP(9)`, `BIGINT UNSIGNED`, `DECIMAL(10,2)`: upper-case words and integer arguments. */
export interface TypeName {
  readonly words: string;
  readonly arguments: readonly number[];
  readonly at: number;
}

export interface OrderItem {
  readonly expression: Expression;
  readonly descending: boolean;
  /** Undefined: last when ascending, first when descending. */
  readonly nullsFirst: boolean | undefined;
}

export interface FrameBound {
  readonly kind: "unbounded-preceding" | "preceding" | "current" | "following" | "unbounded-following";
  readonly offset?: Expression;
}

export interface WindowSpecification {
  readonly base?: Identifier;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly OrderItem[];
  readonly frame?: { readonly unit: "ROWS" | "RANGE" | "GROUPS"; readonly start: FrameBound; readonly end: FrameBound };
}

export interface Call {
  readonly kind: "call";
  readonly at: number;
  readonly name: string;
  readonly arguments: readonly Expression[];
  /** `count(*)`. */
  readonly star: boolean;
  readonly distinct: boolean;
  readonly orderBy: readonly OrderItem[];
  /** `WITHIN GROUP (ORDER BY … DESC)`: the order is counted from the other end. */
  readonly fromTop?: boolean;
  readonly filter?: Expression;
  readonly ignoreNulls?: boolean;
  readonly over?: Identifier | WindowSpecification;
}

export type Expression =
  | Call
  | { readonly kind: "column"; readonly at: number; readonly path: readonly Identifier[] }
  | { readonly kind: "literal"; readonly at: number; readonly value: LiteralValue }
  | { readonly kind: "interval"; readonly at: number; readonly text: string }
  | { readonly kind: "parameter"; readonly at: number; readonly name: string }
  | { readonly kind: "unary"; readonly at: number; readonly operator: "not" | "-" | "+"; readonly operand: Expression }
  | { readonly kind: "binary"; readonly at: number; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "is"; readonly at: number; readonly operand: Expression; readonly test: "null" | "true" | "false" | "unknown"; readonly negated: boolean }
  | { readonly kind: "between"; readonly at: number; readonly operand: Expression; readonly low: Expression; readonly high: Expression; readonly negated: boolean }
  | { readonly kind: "in-list"; readonly at: number; readonly operand: Expression; readonly items: readonly Expression[]; readonly negated: boolean }
  | { readonly kind: "in-query"; readonly at: number; readonly operand: Expression; readonly query: Query; readonly negated: boolean }
  | { readonly kind: "exists"; readonly at: number; readonly query: Query }
  | { readonly kind: "subquery"; readonly at: number; readonly query: Query }
  | {
      readonly kind: "like"; readonly at: number; readonly operand: Expression; readonly pattern: Expression;
      readonly negated: boolean; readonly caseInsensitive: boolean; readonly similar: boolean; readonly escape?: string;
    }
  | { readonly kind: "case"; readonly at: number; readonly operand?: Expression; readonly branches: readonly (readonly [Expression, Expression])[]; readonly otherwise?: Expression }
  | { readonly kind: "cast"; readonly at: number; readonly operand: Expression; readonly type: TypeName; readonly quiet: boolean }
  | { readonly kind: "at-time-zone"; readonly at: number; readonly operand: Expression; readonly zone: Expression }
  | { readonly kind: "index"; readonly at: number; readonly operand: Expression; readonly index: Expression }
  | { readonly kind: "array"; readonly at: number; readonly elements: readonly Expression[] };

export type SelectItem =
  | { readonly kind: "expression"; readonly expression: Expression; readonly alias?: Identifier }
  | { readonly kind: "star"; readonly at: number; readonly qualifier: readonly Identifier[]; readonly except: readonly Identifier[] };

export type JoinKind = "inner" | "left" | "right" | "full" | "cross" | "left-semi" | "left-anti" | "right-semi" | "right-anti";

export type JoinCondition =
  | { readonly kind: "on"; readonly expression: Expression }
  | { readonly kind: "using"; readonly columns: readonly Identifier[] }
  | { readonly kind: "natural" }
  | { readonly kind: "none" };

export interface RelationAlias {
  readonly name: Identifier;
  readonly columns: readonly Identifier[];
}

export type Relation =
  | { readonly kind: "table"; readonly at: number; readonly path: readonly Identifier[]; readonly alias?: RelationAlias }
  | { readonly kind: "table-function"; readonly at: number; readonly name: string; readonly arguments: readonly Expression[]; readonly alias?: RelationAlias }
  | { readonly kind: "derived"; readonly at: number; readonly query: Query; readonly alias?: RelationAlias; readonly lateral: boolean }
  | { readonly kind: "join"; readonly at: number; readonly left: Relation; readonly right: Relation; readonly join: JoinKind; readonly condition: JoinCondition };

export type GroupItem =
  | { readonly kind: "expression"; readonly expression: Expression }
  | { readonly kind: "rollup" | "cube"; readonly at: number; readonly sets: readonly (readonly Expression[])[] }
  | { readonly kind: "sets"; readonly at: number; readonly sets: readonly (readonly Expression[])[] };

export interface Select {
  readonly kind: "select";
  readonly at: number;
  readonly distinct: boolean;
  readonly distinctOn: readonly Expression[];
  readonly items: readonly SelectItem[];
  readonly from: readonly Relation[];
  readonly where?: Expression;
  readonly groupBy: readonly GroupItem[];
  readonly having?: Expression;
  readonly qualify?: Expression;
  readonly windows: readonly { readonly name: Identifier; readonly window: WindowSpecification }[];
}

export interface Values {
  readonly kind: "values";
  readonly at: number;
  readonly rows: readonly (readonly Expression[])[];
}

export interface SetOperation {
  readonly kind: "set";
  readonly at: number;
  readonly operator: "union" | "except" | "intersect";
  readonly all: boolean;
  readonly left: QueryBody;
  readonly right: QueryBody;
}

export type QueryBody = Select | Values | SetOperation | { readonly kind: "nested"; readonly at: number; readonly query: Query };

export interface Query {
  readonly with: readonly { readonly name: Identifier; readonly columns: readonly Identifier[]; readonly query: Query }[];
  readonly body: QueryBody;
  readonly orderBy: readonly OrderItem[];
  readonly limit?: Expression;
  readonly offset?: Expression;
}

export type Statement =
  | { readonly kind: "query"; readonly query: Query }
  | { readonly kind: "explain"; readonly analyze: boolean; readonly verbose: boolean; readonly query: Query }
  | { readonly kind: "show-tables" | "show-functions" | "show-all" }
  | { readonly kind: "show-variable"; readonly name: string }
  | { readonly kind: "describe-query"; readonly query: Query }
  | { readonly kind: "show-columns" | "describe"; readonly path: readonly Identifier[]; readonly at: number };
