/** The sources of src/ as syntax trees: modules with their imports, constants and functions, for tests that read texts out of them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { parseAst } from "vitest/node";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A node of ESTree; members are looked at by name and checked where they are used. */
export interface Node {
  readonly type: string;
  readonly [member: string]: unknown;
}

export interface FunctionInfo {
  readonly module: Module;
  readonly node: Node;
  readonly name: string | undefined;
  /** The function around it. */
  readonly outer: FunctionInfo | undefined;
  readonly params: readonly Node[];
  readonly constants: Map<string, Node>;
  readonly returns: Node[];
}

export interface Module {
  readonly name: string;
  /** Local name → file and exported name. */
  readonly imports: Map<string, { readonly file: string; readonly name: string }>;
  readonly constants: Map<string, Node>;
  readonly functions: Map<string, FunctionInfo>;
  /** Every call and `new`, with the function it stands in. */
  readonly calls: { readonly node: Node; readonly within: FunctionInfo | undefined }[];
}

export const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value;
export const nodesOf = (value: unknown): Node[] => (Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : []);

/** The name by which a callee or a member is called: `f`, `#f` of `this.#f`, `f` of `x.f`. */
export function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Identifier") return node["name"] as string;
  if (node.type === "PrivateIdentifier") return `#${node["name"] as string}`;
  if (node.type === "MemberExpression" && node["computed"] !== true) return nameOf(node["property"]);
  return node.type === "Literal" && typeof node["value"] === "string" ? node["value"] : undefined;
}

export async function readSources(): Promise<ReadonlyMap<string, Module>> {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "src"], { cwd: ROOT, encoding: "utf8" }).split("\n");
  const names = listed.filter((name) => name.endsWith(".ts") && !/\.(test|d)\.ts$|^src\/testing\/|\/generated\//.test(name));
  const modules = await Promise.all(names.map(readModule));
  return new Map(modules.map((module) => [module.name, module]));
}

async function readModule(name: string): Promise<Module> {
  const { code } = await transform(readFileSync(join(ROOT, name), "utf8"), { loader: "ts", target: "esnext" });
  const module: Module = { name, imports: new Map(), constants: new Map(), functions: new Map(), calls: [] };
  visit(parseAst(code) as unknown as Node, module, undefined, undefined);
  return module;
}

const FUNCTIONS: ReadonlySet<string> = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

function visit(node: Node, module: Module, within: FunctionInfo | undefined, name: string | undefined): void {
  const inner = FUNCTIONS.has(node.type) ? enter(node, module, within, name ?? nameOf(node["id"])) : within;
  if (node.type === "ImportDeclaration") readImport(node, module);
  if (node.type === "VariableDeclaration" && node["kind"] === "const") readConstants(node, within ?? module);
  if (node.type === "ReturnStatement" && isNode(node["argument"])) within?.returns.push(node["argument"]);
  if (node.type === "CallExpression" || node.type === "NewExpression") module.calls.push({ node, within });
  for (const [member, value] of Object.entries(node)) {
    for (const child of nodesOf(value)) visit(child, module, inner, ownNameOf(node, member));
  }
}

/** A function expression is called as the variable, property or method it is given to. */
function ownNameOf(node: Node, member: string): string | undefined {
  if (node.type === "VariableDeclarator" && member === "init") return nameOf(node["id"]);
  const isMember = node.type === "MethodDefinition" || node.type === "PropertyDefinition" || node.type === "Property";
  return isMember && member === "value" ? nameOf(node["key"]) : undefined;
}

function enter(node: Node, module: Module, outer: FunctionInfo | undefined, name: string | undefined): FunctionInfo {
  const info: FunctionInfo = { module, node, name, outer, params: nodesOf(node["params"]), constants: new Map(), returns: [] };
  if (name !== undefined && !module.functions.has(name)) module.functions.set(name, info);
  if (node["expression"] === true || (isNode(node["body"]) && node["body"].type !== "BlockStatement")) info.returns.push(node["body"] as Node);
  return info;
}

function readConstants(node: Node, holder: { readonly constants: Map<string, Node> }): void {
  for (const declared of nodesOf(node["declarations"])) {
    const name = nameOf(declared["id"]);
    if (name !== undefined && isNode(declared["init"])) holder.constants.set(name, declared["init"]);
  }
}

function readImport(node: Node, module: Module): void {
  const from = (node["source"] as Node)["value"] as string;
  if (!from.startsWith(".")) return;
  const file = normalize(join(dirname(module.name), from));
  for (const specifier of nodesOf(node["specifiers"])) {
    module.imports.set(nameOf(specifier["local"]) as string, { file, name: nameOf(specifier["imported"]) ?? "default" });
  }
}
