/**
 * Which connections the grant `net` allows. The adapter that connects asks twice: before it resolves a name (a query to a
 * name server tells the name to strangers) and, for each address that came of it, before it connects.
 *
 * - A name is resolved only when the name is granted; an address is reached when it, or a range around it, is granted.
 * - Whoever owns a public name chooses its address. So a granted public name does not lead into a private network (loopback
 *   too): the address is to be granted besides. Names that only the operator's resolver answers for (`localhost`, `nas.lan`,
 *   names without a dot) lead wherever they resolve to.
 * - Link-local addresses and metadata services of clouds are reached only when exactly that address is granted: no range, no
 *   name, no `*`.
 */
import { denialText } from "./grants.ts";
import { isLocalhost, isLocalName } from "./host-name.ts";
import { addressKind, formatAddress, type IpAddress, inRange, parseAddress } from "./ip-address.ts";
import { formatHost, type Host, type NetworkEntry, parseHost, parseNetworkEntry, PORT_MAX } from "./network-entry.ts";

export interface NetworkTarget {
  /** As the plugin named it. */
  readonly host: string;
  /** Undefined while a name is only looked up. */
  readonly port: number | undefined;
  /** What the name resolved to, one address of it at a time; undefined before that. */
  readonly address?: string | undefined;
  /** Whether a host or an address, with a port, is this server's own API. */
  isSelf(host: string, port: number): boolean;
  /** Whether an address, with a port, is one of this server's that no grant opens. */
  isClosed?(address: string, port: number): boolean;
}

/** `host`: the one to resolve and connect to, in place of what the plugin said; IPv6 without brackets. */
export type NetworkDecision = { readonly allowed: true; readonly host: string } | { readonly allowed: false; readonly reason: string };

/** More of a plugin's words than this is not repeated. */
const SHOWN_LENGTH_MAX = 256;

/** `grants`: entries of the grant `net`. Pure; never throws. */
export function decideNetwork(grants: readonly string[], target: NetworkTarget): NetworkDecision {
  const host = parseHost(target.host);
  const { port } = target;
  const shown = target.host.slice(0, SHOWN_LENGTH_MAX);
  if (host === undefined) return { allowed: false, reason: `'${shown}' is neither the name of a host nor an address` };
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= PORT_MAX)) return { allowed: false, reason: `${port} is not a port` };
  const resolved = target.address === undefined ? undefined : parseAddress(target.address);
  if (target.address !== undefined && resolved === undefined) return { allowed: false, reason: `'${shown}' resolved to what is not an address` };
  const entries = entriesOf(grants).filter((entry) => port === undefined || entry.port === undefined || entry.port === port);
  const question = new Question(grants, entries, host, target);
  return question.decide(host.kind === "address" ? host.address : resolved);
}

/** By the list of a trigger's grants, which nobody changes: the same ones are asked for every address. */
const parsed = new WeakMap<readonly string[], readonly NetworkEntry[]>();

function entriesOf(grants: readonly string[]): readonly NetworkEntry[] {
  const known = parsed.get(grants);
  if (known !== undefined) return known;
  const entries = grants.map(parseNetworkEntry).filter((entry) => entry !== undefined);
  parsed.set(grants, entries);
  return entries;
}

class Question {
  readonly #granted: readonly string[];
  /** Those of them that fit the port. */
  readonly #entries: readonly NetworkEntry[];
  readonly #host: Host;
  readonly #target: NetworkTarget;

  constructor(granted: readonly string[], entries: readonly NetworkEntry[], host: Host, target: NetworkTarget) {
    this.#granted = granted;
    this.#entries = entries;
    this.#host = host;
    this.#target = target;
  }

  /** `address`: the one that would be connected to, once it is known. */
  decide(address: IpAddress | undefined): NetworkDecision {
    const { port, isClosed } = this.#target;
    if (address !== undefined && port !== undefined && isClosed?.(formatAddress(address), port) === true) {
      return { allowed: false, reason: `${this.#withPort(formatHost({ kind: "address", address }))} is an address of this server that no plugin may reach` };
    }
    const kind = address === undefined ? undefined : addressKind(address);
    if (address !== undefined && kind === "link-local") return this.#onlyIf(this.#grantsExactly(address) && (this.#host.kind === "address" || this.#grantsName()), address);
    if (this.#has("any") || this.#isGrantedSelf(address)) return this.#allowed();
    if (this.#host.kind === "address") return this.#onlyIf(this.#grantsAddress(this.#host.address));
    if (address === undefined) return this.#onlyIf(this.#grantsName() || this.#mayLookUp(this.#host.name));
    if (this.#grantsAddress(address) && (this.#grantsName() || isLocalhost(this.#host.name))) return this.#allowed();
    if (!this.#grantsName()) return this.#onlyIf(false);
    return this.#onlyIf(kind === "public" || isLocalName(this.#host.name), address);
  }

  #allowed(): NetworkDecision {
    const host = this.#host;
    return { allowed: true, host: host.kind === "name" ? host.name : formatAddress(host.address) };
  }

  /** `missing`: the address that is to be granted beside the name. */
  #onlyIf(allowed: boolean, missing?: IpAddress): NetworkDecision {
    if (allowed) return this.#allowed();
    const what = this.#withPort(formatHost(this.#host));
    if (missing === undefined) return { allowed: false, reason: denialText("net", what, this.#granted) };
    const address = this.#withPort(formatHost({ kind: "address", address: missing }));
    const link = addressKind(missing) === "link-local";
    if (this.#host.kind === "address") return { allowed: false, reason: `${denialText("net", address, this.#granted)}; it is link-local or a cloud's metadata service and must be named itself` };
    const place = link ? "is link-local or a cloud's metadata service" : "is in a private network";
    return { allowed: false, reason: `${what} leads to ${address}, which ${place}: ${denialText("net", address, this.#granted, [what, address])}` };
  }

  #withPort(host: string): string {
    return this.#target.port === undefined ? host : `${host}:${this.#target.port}`;
  }

  #has(kind: NetworkEntry["kind"]): boolean {
    return this.#entries.some((entry) => entry.kind === kind);
  }

  #grantsName(): boolean {
    const host = this.#host;
    if (host.kind !== "name") return false;
    return this.#entries.some((entry) => entry.kind === "any" || (entry.kind === "name" && entry.name === host.name) || (entry.kind === "below" && host.name.endsWith(`.${entry.domain}`)));
  }

  #grantsAddress(address: IpAddress): boolean {
    return this.#entries.some((entry) => entry.kind === "addresses" && inRange(address, entry.range));
  }

  #grantsExactly(address: IpAddress): boolean {
    return this.#entries.some((entry) => entry.kind === "addresses" && entry.range.prefixLength === 128 && entry.range.address === address);
  }

  #isGrantedSelf(address: IpAddress | undefined): boolean {
    const { port, isSelf } = this.#target;
    if (port === undefined || !this.#has("self")) return false;
    // A name's owner could point it here: what counts is where it leads.
    if (address !== undefined) return isSelf(formatAddress(address), port);
    return this.#host.kind === "name" && isSelf(this.#host.name, port);
  }

  /** `localhost` asks no server; whether its address is granted is seen when it is known. */
  #mayLookUp(name: string): boolean {
    return isLocalhost(name) && this.#entries.some((entry) => entry.kind === "addresses" || entry.kind === "self");
  }
}
