/**
 * Every text that a `DatabaseError` of the sources can carry, read out of the syntax: constants and helpers are followed, helpers that
 * take a text are followed to their callers, and what only a run can know becomes a placeholder such as `<path>`.
 */
import { isNode, nameOf, nodesOf, readSources, type FunctionInfo, type Module, type Node } from "./source-tree.ts";

export interface ErrorText {
  readonly code: string;
  readonly message: string;
  /** Depending on the case one of them; none: the message says it all. */
  readonly hints: readonly string[];
}

/** Where an expression stands, and what its function's parameters are in the call that is looked at. */
interface Scope {
  readonly module: Module;
  readonly within: FunctionInfo | undefined;
  readonly bound: ReadonlyMap<string, Bound>;
}

interface Bound {
  readonly value: Node | undefined;
  readonly scope: Scope;
}

interface Call {
  readonly node: Node;
  readonly scope: Scope;
}

const CALLERS_DEPTH_MAX = 4;
const EVALUATION_DEPTH_MAX = 12;
/** A part of a text that can be more than this is a value, not words to list. */
const ALTERNATIVES_MAX = 5;
const TEXTS_MAX = 64;
/** Says what is broken in us; not for users to look up. */
const NOT_FOLLOWED: ReadonlySet<string> = new Set(["assert"]);
/** Modules whose functions return what is wrong with a line; parse-line.ts throws it. */
const LINE_MODULES: ReadonlySet<string> = new Set(["src/core/line-protocol/parser.ts", "src/core/line-protocol/schema-draft.ts"]);
/** Steps of a valibot schema that take a message. */
const CHECKS: ReadonlySet<string> = new Set(["check", "regex", "minValue", "maxValue", "minLength", "maxLength", "picklist"]);
const PLACEHOLDER = /^<[^<>]*>$/;

/** Sorted by code and text. `lines`: the messages about single lines of a write, which have no code of their own. */
export async function readErrorTexts(): Promise<{ readonly texts: ErrorText[]; readonly lines: string[] }> {
  const reader = new TextReader(await readSources());
  return { texts: reader.read(), lines: reader.readLines() };
}

class TextReader {
  readonly #modules: ReadonlyMap<string, Module>;
  readonly #calls = new Map<FunctionInfo, Call[]>();

  constructor(modules: ReadonlyMap<string, Module>) {
    this.#modules = modules;
    for (const module of modules.values()) {
      for (const { node, within } of module.calls) {
        const scope: Scope = { module, within, bound: new Map() };
        const called = node.type === "CallExpression" ? this.#functionOf(node["callee"], scope) : undefined;
        if (called !== undefined) this.#calls.set(called, [...(this.#calls.get(called) ?? []), { node, scope }]);
      }
    }
  }

  read(): ErrorText[] {
    const found = new Map<string, { code: string; message: string; hints: Set<string> }>();
    const add = ({ code, message, hints }: ErrorText): void => {
      // Another error that is only handed on, with its own code and text.
      if (PLACEHOLDER.test(code) && PLACEHOLDER.test(message)) return;
      const key = `${code}\n${message}`;
      const text = found.get(key) ?? { code, message, hints: new Set() };
      for (const hint of hints) text.hints.add(hint);
      found.set(key, text);
    };
    for (const module of this.#modules.values()) {
      for (const { node, within } of module.calls) {
        const scope: Scope = { module, within, bound: new Map() };
        if (node.type === "NewExpression" && nameOf(node["callee"]) === "DatabaseError") this.#textsOf(node, scope, 0).forEach(add);
        else if (CHECKS.has(nameOf(node["callee"]) ?? "") && isValibot(node["callee"])) this.#checkTexts(node, scope).forEach(add);
      }
    }
    return [...found.values()].map((text) => ({ ...text, hints: [...text.hints] })).sort((a, b) => (a.code + a.message < b.code + b.message ? -1 : 1));
  }

  readLines(): string[] {
    const found = new Set<string>();
    for (const module of this.#modules.values()) {
      for (const { node, within } of module.calls) {
        if (node.type === "NewExpression" && nameOf(node["callee"]) === "LineFault") this.#evaluate(nodesOf(node["arguments"])[0], { module, within, bound: new Map() }).forEach((text) => found.add(text));
      }
      for (const info of LINE_MODULES.has(module.name) ? module.functions.values() : []) {
        for (const returned of info.returns.filter(isText)) this.#evaluate(returned, { module, within: info, bound: new Map() }).filter((text) => text.includes(" ") && !PLACEHOLDER.test(text)).forEach((text) => found.add(text));
      }
    }
    return [...found].sort();
  }

  /** The last argument of a check is its message, or makes it; `decode.ts` puts the prefix before it. */
  #checkTexts(node: Node, scope: Scope): ErrorText[] {
    const last = nodesOf(node["arguments"]).at(-1);
    const made = last === undefined ? undefined : scope.module.functions.get(nameOf(last) ?? "");
    const returned = last?.type === "ArrowFunctionExpression" && isNode(last["body"]) ? [last["body"]] : (made?.returns ?? (last === undefined || !isText(last) ? [] : [last]));
    return returned.flatMap((text) => this.#evaluate(text, { ...scope, within: made ?? scope.within })).filter((message) => message.includes(" ")).map((message) => ({ code: "request.invalid", message: `serde error: ${message}`, hints: [] }));
  }

  /** The texts of one `new DatabaseError(…)`; of each call of its function when that hands text on. */
  #textsOf(node: Node, scope: Scope, depth: number): ErrorText[] {
    const helper = this.#helperToFollow(node, scope);
    if (helper !== undefined && depth < CALLERS_DEPTH_MAX) {
      const calls = (this.#calls.get(helper) ?? []);
      if (calls.length > 0) return calls.flatMap((call) => this.#textsOf(node, this.#bindCaller(scope, helper, call), depth + 1));
    }
    const [code, parts] = nodesOf(node["arguments"]);
    const hints = this.#member(parts, "hint", scope).filter((hint) => !PLACEHOLDER.test(hint));
    return this.#evaluate(code, scope).flatMap((codeText) => this.#member(parts, "message", scope).map((message) => ({ code: codeText, message, hints })));
  }

  /** The nearest function around whose parameters decide the text and that some caller gives words of its own. */
  #helperToFollow(node: Node, scope: Scope): FunctionInfo | undefined {
    const [code, parts] = nodesOf(node["arguments"]);
    const open = new Set<string>();
    for (const expression of [code, this.#memberNode(parts, "message"), this.#memberNode(parts, "hint"), parts?.type === "ObjectExpression" ? undefined : parts]) {
      this.#openParameters(expression, scope, open, 0);
    }
    for (let holder = outermostBound(scope); holder !== undefined; holder = holder.outer) {
      const helper = holder;
      if (helper.name === undefined || NOT_FOLLOWED.has(helper.name)) continue;
      const mine = parameterNames(helper).filter((name) => open.has(`${keyOf(helper)}:${name}`));
      if (mine.length === 0) continue;
      const gives = (this.#calls.get(helper) ?? []).some((call) => {
        const bound = this.#inside(helper, call);
        return mine.some((name) => this.#evaluate({ type: "Identifier", name }, bound).some((text) => !PLACEHOLDER.test(text)));
      });
      if (gives) return helper;
    }
    return undefined;
  }

  /** Parameters that an expression reads and that no call has given yet. */
  #openParameters(node: Node | undefined, scope: Scope, open: Set<string>, depth: number): void {
    if (node === undefined || depth > EVALUATION_DEPTH_MAX) return;
    if (node.type === "Identifier") {
      const name = node["name"] as string;
      for (let holder = scope.within; holder !== undefined; holder = holder.outer) {
        const constant = holder.constants.get(name);
        if (constant !== undefined) return this.#openParameters(constant, { ...scope, within: holder }, open, depth + 1);
        if (!parameterNames(holder).includes(name)) continue;
        const given = scope.bound.get(`${keyOf(holder)}:${name}`);
        if (given === undefined) open.add(`${keyOf(holder)}:${name}`);
        else this.#openParameters(given.value, given.scope, open, depth + 1);
        return;
      }
      return;
    }
    for (const [member, value] of Object.entries(node)) {
      if (node.type === "MemberExpression" && member === "property" && node["computed"] !== true) continue;
      for (const child of nodesOf(value)) this.#openParameters(child, scope, open, depth + 1);
    }
  }

  #functionOf(callee: unknown, scope: Scope): FunctionInfo | undefined {
    if (!isNode(callee)) return undefined;
    if (callee.type === "MemberExpression" && !(isNode(callee["object"]) && callee["object"].type === "ThisExpression")) return undefined;
    const name = nameOf(callee);
    if (name === undefined) return undefined;
    const imported = scope.module.imports.get(name);
    if (imported !== undefined) return this.#modules.get(imported.file)?.functions.get(imported.name);
    return scope.module.functions.get(name);
  }

  /** The scope inside `helper` for one call of it. */
  #inside(helper: FunctionInfo, call: Call): Scope {
    return { module: helper.module, within: helper, bound: new Map(argumentsOf(helper, call.node).map(([name, value]) => [name, { value, scope: call.scope }])) };
  }

  /** The same place, with one caller more known: arguments are read where the call stands, with what is known of its own caller. */
  #bindCaller(scope: Scope, helper: FunctionInfo, call: Call): Scope {
    const bound = new Map<string, Bound>();
    for (const [name, { value, scope: at }] of scope.bound) bound.set(name, { value, scope: { ...at, bound } });
    for (const [name, value] of argumentsOf(helper, call.node)) bound.set(name, { value, scope: { ...call.scope, bound } });
    return { ...scope, bound };
  }

  /** Every text that an expression can be. */
  #evaluate(node: Node | undefined, scope: Scope, depth = 0): string[] {
    if (node === undefined) return [];
    if (depth > EVALUATION_DEPTH_MAX) return [placeholder(nameOf(node))];
    const inner = (other: unknown): string[] => this.#evaluate(other as Node, scope, depth + 1);
    switch (node.type) {
      case "Literal":
        return [String(node["value"])];
      case "TemplateLiteral": {
        const expressions = nodesOf(node["expressions"]);
        return nodesOf(node["quasis"]).reduce<string[]>((texts, quasi, index) => {
          const word = (quasi["value"] as { readonly cooked: string }).cooked;
          return product(product(texts, [word]), index < expressions.length ? orPlaceholder(inner(expressions[index]), expressions[index]) : [""]);
        }, [""]);
      }
      case "BinaryExpression":
        if (node["operator"] !== "+") return [placeholder("number")];
        if (isNumber(node["left"]) || isNumber(node["right"])) return [placeholder(nameOf(isNumber(node["left"]) ? node["right"] : node["left"]))];
        return product(orPlaceholder(inner(node["left"]), node["left"]), orPlaceholder(inner(node["right"]), node["right"]));
      case "ConditionalExpression":
        return withWords([...inner(node["consequent"]), ...inner(node["alternate"])]);
      case "LogicalExpression":
        // A value to fall back on is not words.
        if (isValue(node["right"])) return inner(node["left"]);
        return withWords([...inner(node["left"]), ...inner(node["right"])].filter((text) => text !== ""));
      case "AwaitExpression":
        return inner(node["argument"]);
      case "ChainExpression":
        return inner(node["expression"]);
      case "Identifier":
        return node["name"] === "undefined" ? [] : this.#evaluateName(node["name"] as string, scope, depth);
      case "MemberExpression":
        return this.#evaluateMember(node, scope, depth);
      case "CallExpression":
        return this.#evaluateCall(node, scope, depth);
      default:
        return [placeholder("value")];
    }
  }

  #evaluateName(name: string, scope: Scope, depth: number): string[] {
    const found = this.#lookUp(name, scope);
    if (found === undefined) return [placeholder(name)];
    if (found.value === undefined) return [];
    if (!isText(found.value)) return [placeholder(name)];
    const texts = this.#evaluate(found.value, found.scope, depth + 1);
    // A number that is not a named limit is only where counting begins.
    const saysNothing = (text: string): boolean => PLACEHOLDER.test(text) || (/^\d+$/.test(text) && name !== name.toUpperCase());
    return texts.length > 0 && texts.every(saysNothing) ? [placeholder(name)] : texts.filter((text) => !/^\d+$/.test(text) || name === name.toUpperCase());
  }

  /** What a name stands for; undefined: only a run knows. */
  #lookUp(name: string, scope: Scope): Bound | undefined {
    for (let holder = scope.within; holder !== undefined; holder = holder.outer) {
      const constant = holder.constants.get(name);
      if (constant !== undefined) return { value: constant, scope: { ...scope, within: holder } };
      if (parameterNames(holder).includes(name)) return scope.bound.get(`${keyOf(holder)}:${name}`);
    }
    const own = scope.module.constants.get(name);
    if (own !== undefined) return { value: own, scope: { ...scope, within: undefined } };
    const imported = scope.module.imports.get(name);
    const module = imported === undefined ? undefined : this.#modules.get(imported.file);
    const value = imported === undefined ? undefined : module?.constants.get(imported.name);
    return module === undefined || value === undefined ? undefined : { value, scope: { module, within: undefined, bound: new Map() } };
  }

  /** As `#lookUp`, through names that stand for names. */
  #resolve(name: string, scope: Scope): Bound | undefined {
    let found = this.#lookUp(name, scope);
    for (let step = 0; step < EVALUATION_DEPTH_MAX && found?.value?.type === "Identifier"; step++) {
      const next = this.#lookUp(found.value["name"] as string, found.scope);
      if (next === undefined) break;
      found = next;
    }
    return found;
  }

  #evaluateMember(node: Node, scope: Scope, depth: number): string[] {
    const object = node["object"] as Node;
    const name = nameOf(node);
    const found = object.type === "Identifier" ? this.#resolve(object["name"] as string, scope) : undefined;
    if (found?.value !== undefined && name !== undefined && MAKES_OBJECTS.has(found.value.type)) {
      const texts = this.#member(found.value, name, found.scope, depth + 1);
      if (texts.length > 0 || found.value.type === "ObjectExpression") return texts;
    }
    if (found?.value?.type === "ObjectExpression") {
      return nodesOf(found.value["properties"]).flatMap((property) => this.#evaluate(property["value"] as Node, found.scope, depth + 1));
    }
    if (found !== undefined && found.value === undefined) return [];
    return [placeholder(name === "length" || name === "size" ? "number" : (name ?? nameOf(object)))];
  }

  #evaluateCall(node: Node, scope: Scope, depth: number): string[] {
    const callee = node["callee"] as Node;
    const name = nameOf(callee);
    if (name === "messageOf" || name === "reasonOf") return [placeholder("reason")];
    const shown = /^(?:format|shown)([A-Z]\w*)/.exec(name ?? "")?.[1];
    if (shown !== undefined) return [placeholder(shown)];
    const helper = this.#functionOf(callee, scope);
    if (helper !== undefined && helper.returns.length > 0) {
      const inside = this.#inside(helper, { node, scope });
      const texts = [...new Set(helper.returns.flatMap((returned) => (isText(returned) ? this.#evaluate(returned, inside, depth + 1) : [placeholder(name)])))];
      return texts.every((text) => PLACEHOLDER.test(text)) ? [placeholder(name)] : withWords(texts);
    }
    // `text.trim()` and the like are that text; `list.join()` is a list.
    const of = callee.type === "MemberExpression" ? (callee["object"] as Node) : undefined;
    if (of === undefined && PATHS.has(name ?? "")) return [placeholder("path")];
    if (["ceil", "floor", "round", "min", "max"].includes(name ?? "")) return [placeholder("number")];
    if (name === "join") return [placeholder(nameOf(of) ?? "list")];
    if (of !== undefined && isText(of) && ["trim", "trimEnd", "slice", "replaceAll", "toLowerCase"].includes(name ?? "")) return this.#evaluate(of, scope, depth + 1);
    const [first] = nodesOf(node["arguments"]);
    if (name === "stringify" || name === "String") return first === undefined ? [] : orPlaceholder(this.#evaluate(first, scope, depth + 1), first);
    return [placeholder(name)];
  }

  /** The texts of a member of an object that an expression makes. */
  #member(node: Node | undefined, name: string, scope: Scope, depth = 0): string[] {
    if (node === undefined || depth > EVALUATION_DEPTH_MAX) return [];
    if (node.type === "ObjectExpression") {
      return nodesOf(node["properties"]).flatMap((property) =>
        property.type === "SpreadElement" ? this.#member(property["argument"] as Node, name, scope, depth + 1) : nameOf(property["key"]) === name ? this.#evaluate(property["value"] as Node, scope, depth + 1) : [],
      );
    }
    if (node.type === "ConditionalExpression") return [...this.#member(node["consequent"] as Node, name, scope, depth + 1), ...this.#member(node["alternate"] as Node, name, scope, depth + 1)];
    if (node.type === "Identifier") {
      const found = this.#lookUp(node["name"] as string, scope);
      return found?.value === undefined ? [] : this.#member(found.value, name, found.scope, depth + 1);
    }
    const helper = node.type === "CallExpression" ? this.#functionOf(node["callee"], scope) : undefined;
    if (helper === undefined) return [];
    const inside = this.#inside(helper, { node, scope });
    return helper.returns.flatMap((returned) => this.#member(returned, name, inside, depth + 1));
  }

  #memberNode(node: Node | undefined, name: string): Node | undefined {
    if (node?.type !== "ObjectExpression") return undefined;
    for (const property of nodesOf(node["properties"])) {
      if (property.type !== "SpreadElement" && nameOf(property["key"]) === name) return property["value"] as Node;
      const spread = property.type === "SpreadElement" ? (property["argument"] as Node) : undefined;
      const inner = spread?.type === "ConditionalExpression" ? (this.#memberNode(spread["alternate"] as Node, name) ?? this.#memberNode(spread["consequent"] as Node, name)) : undefined;
      if (inner !== undefined) return inner;
    }
    return undefined;
  }
}

/** Parameters of a function and what a call gives for them; undefined: nothing. */
function argumentsOf(helper: FunctionInfo, call: Node): [name: string, value: Node | undefined][] {
  const given = nodesOf(call["arguments"]);
  return helper.params.flatMap((param, index): [string, Node | undefined][] => {
    const value = given[index];
    if (param.type === "ObjectPattern") {
      return nodesOf(param["properties"]).flatMap((property): [string, Node | undefined][] => {
        const member = nameOf(property["key"]);
        const of: Node | undefined = value === undefined ? undefined : { type: "MemberExpression", object: value, property: property["key"], computed: false };
        return member === undefined ? [] : [[`${keyOf(helper)}:${member}`, of]];
      });
    }
    const isDefaulted = param.type === "AssignmentPattern";
    const name = nameOf(isDefaulted ? param["left"] : param);
    return name === undefined ? [] : [[`${keyOf(helper)}:${name}`, value ?? (isDefaulted ? (param["right"] as Node) : undefined)]];
  });
}

const keys = new WeakMap<FunctionInfo, number>();
let keyCount = 0;
function keyOf(info: FunctionInfo): number {
  const key = keys.get(info) ?? ++keyCount;
  keys.set(info, key);
  return key;
}

/** Following goes outwards from the function that the last call stood in. */
function outermostBound(scope: Scope): FunctionInfo | undefined {
  const calls = [...scope.bound.values()];
  return calls.at(-1)?.scope.within ?? scope.within;
}

function parameterNames({ params }: FunctionInfo): string[] {
  return params.flatMap((param) => {
    const plain = param.type === "AssignmentPattern" ? (param["left"] as Node) : param;
    return plain.type === "ObjectPattern" ? nodesOf(plain["properties"]).flatMap((property) => nameOf(property["key"]) ?? []) : (nameOf(plain) ?? []);
  });
}

const TEXTS: ReadonlySet<string> = new Set(["Literal", "TemplateLiteral", "BinaryExpression", "ConditionalExpression", "LogicalExpression", "Identifier", "MemberExpression", "CallExpression", "AwaitExpression", "ChainExpression"]);
/** Functions of node:path. */
const PATHS: ReadonlySet<string> = new Set(["join", "resolve", "dirname", "basename", "relative"]);
const isValibot = (callee: unknown): boolean => isNode(callee) && callee.type === "MemberExpression" && nameOf(callee["object"]) === "v";
const MAKES_OBJECTS: ReadonlySet<string> = new Set(["ObjectExpression", "ConditionalExpression", "CallExpression"]);
const isValue = (node: unknown): boolean => isNode(node) && node.type === "Literal" && !String(node["value"]).includes(" ");
const isNumber = (node: unknown): boolean => isNode(node) && node.type === "Literal" && typeof node["value"] !== "string";
const isText = (node: Node): boolean => TEXTS.has(node.type);

function product(left: readonly string[], right: readonly string[]): string[] {
  return left.flatMap((first) => right.map((second) => first + second)).slice(0, TEXTS_MAX);
}

/** The texts of a part, unless there are none or too many to list. */
const orPlaceholder = (texts: string[], node: unknown): string[] => (texts.length === 0 || texts.length > ALTERNATIVES_MAX ? [placeholder(nameOf(isNode(node) && node.type === "CallExpression" ? node["callee"] : node))] : texts);

/** Where one way gives words, a way that only hands on a value is left out. */
function withWords(texts: string[]): string[] {
  const words = texts.filter((text) => !PLACEHOLDER.test(text));
  return [...new Set(words.length > 0 ? words : texts)];
}

/** `#bytesMax` becomes `<bytes max>`. */
function placeholder(name: string | undefined): string {
  const bare = (name ?? "value").replaceAll(/^#|\d+$|^(?:describe|read|find)(?=[A-Z])/g, "");
  const spaced = bare === bare.toUpperCase() ? bare : bare.replaceAll(/[A-Z]/g, (letter, at: number) => (at === 0 ? letter : ` ${letter}`));
  return `<${spaced.replaceAll("_", " ").toLowerCase()}>`;
}
