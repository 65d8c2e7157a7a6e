/**
 * What one run may reach: checks databases, addresses and metrics against the trigger's grants before the host does
 * anything. Each denial is told once per run to whoever made it.
 */
import { allowsDatabase, allowsSystem, denialText, type GrantName, type SystemGroup, type TriggerGrants } from "../../core/trigger/grants.ts";
import { decideNetwork, type NetworkDecision, type NetworkTarget } from "../../core/trigger/network-grants.ts";
import { HostCallError, type PluginHost } from "../../ports/plugin-runtime.ts";
import type { PluginAccess } from "./services.ts";

/** A subject is the plugin's own text: no more of it than this is repeated. */
const SUBJECT_LENGTH_MAX = 256;

export interface RunAccessParts {
  readonly grants: TriggerGrants;
  readonly access: PluginAccess;
  /** The trigger's own. */
  readonly database: string;
  /** Called once for each text. */
  onDenied(grant: GrantName, text: string): void;
}

export class RunAccess {
  readonly #parts: RunAccessParts;
  readonly #told = new Set<string>();

  constructor(parts: RunAccessParts) {
    this.#parts = parts;
  }

  /** Throws `HostCallError` kind `denied`. */
  check(grant: GrantName, subject: string): void {
    const reason = this.#refusal(grant, subject);
    if (reason !== undefined) throw this.denied(grant, reason);
  }

  /** Whether a host may be looked up, or connected to at an address. */
  network(target: Omit<NetworkTarget, "isSelf" | "isClosed">): NetworkDecision {
    const { grants, access } = this.#parts;
    return decideNetwork(grants.net, { ...target, isSelf: (host, port) => access.isSelf(host, port), isClosed: (address, port) => access.isClosed(address, port) });
  }

  /** Throws `HostCallError` kind `denied`, or `value-error` for a group that there is not. */
  systemMetrics(group: string): string {
    this.check("sys", group);
    return this.#parts.access.systemMetrics(group as SystemGroup);
  }

  /** Why not, in a sentence that names the flag; undefined: allowed. */
  #refusal(grant: GrantName, subject: string): string | undefined {
    if (grant === "net") return this.#networkRefusal(subject);
    if (this.#allows(grant, subject)) return undefined;
    return grant === "scratch" ? denialText(grant, "16mb") : denialText(grant, subject.slice(0, SUBJECT_LENGTH_MAX), this.#parts.grants[grant]);
  }

  /** `host:port`; port 0: the host is only looked up. */
  #networkRefusal(subject: string): string | undefined {
    const [, host = subject, digits = "0"] = /^(.*):(\d{1,5})$/s.exec(subject) ?? [];
    const decision = this.network({ host, port: Number(digits) === 0 ? undefined : Number(digits) });
    return decision.allowed ? undefined : decision.reason;
  }

  #allows(grant: Exclude<GrantName, "net">, subject: string): boolean {
    const { grants, database } = this.#parts;
    switch (grant) {
      case "db":
        return allowsDatabase(grants, database, subject);
      case "sys":
        return allowsSystem(grants, subject);
      case "env":
      case "files":
        return grants[grant].includes(subject);
      case "scratch":
        return grants.scratch > 0;
    }
  }

  /** Tells of a denial, once per run, and gives what the plugin is to be told. */
  denied(grant: GrantName, text: string): HostCallError {
    if (!this.#told.has(text) && this.#told.size < DENIALS_TOLD_MAX) {
      this.#told.add(text);
      this.#parts.onDenied(grant, text);
    }
    return new HostCallError("denied", text);
  }
}

/** Different denials of one run that are logged; a plugin that tries names must not fill the log with them. */
const DENIALS_TOLD_MAX = 20;

const encoder = new TextEncoder();

/** What grants and limits stand in front of. */
export type BareHost = Omit<PluginHost, "checkGrant" | "systemMetrics" | "exceeded">;

/** `host` behind the grants. The network asks them itself. */
export function grantedHost(host: BareHost, access: RunAccess): Omit<PluginHost, "exceeded"> {
  const checkDatabase = (database: string | undefined): void => {
    if (database !== undefined) access.check("db", database);
  };
  return {
    network: host.network,
    log: (level, text) => host.log(level, text),
    output: (text) => host.output(text),
    async query(sql, parameters, database) {
      checkDatabase(database);
      return host.query(sql, parameters, database);
    },
    async writeSync(database, lines, noSync) {
      checkDatabase(database);
      await host.writeSync(database, lines, noSync);
    },
    globalCachePut: (key, value, ttl) => host.globalCachePut(key, value, ttl),
    globalCacheGet: (key) => host.globalCacheGet(key),
    globalCacheDelete: (key) => host.globalCacheDelete(key),
    checkGrant: (grant, subject) => access.check(grant, subject),
    systemMetrics: (group) => encoder.encode(access.systemMetrics(group)),
  };
}
