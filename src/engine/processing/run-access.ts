/**
 * What one run may reach: checks databases, addresses and metrics against the trigger's grants before the host does
 * anything. Each denial is told once per run to whoever made it.
 */
import { allowsDatabase, allowsNetwork, allowsSystem, denialText, type GrantName, type SystemGroup, type TriggerGrants } from "../../core/trigger/grants.ts";
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
    if (!this.#allows(grant, subject)) throw this.#denial(grant, subject.slice(0, SUBJECT_LENGTH_MAX));
  }

  /** Throws `HostCallError` kind `denied`, or `value-error` for a group that there is not. */
  systemMetrics(group: string): string {
    this.check("sys", group);
    return this.#parts.access.systemMetrics(group as SystemGroup);
  }

  #allows(grant: GrantName, subject: string): boolean {
    const { grants, database, access } = this.#parts;
    switch (grant) {
      case "db":
        return allowsDatabase(grants, database, subject);
      case "net": {
        const [, host = "", port = ""] = /^(.*):(\d{1,5})$/s.exec(subject) ?? [];
        return allowsNetwork(grants, { host, port: Number(port), isSelf: access.isSelf(host, Number(port)) });
      }
      case "sys":
        return allowsSystem(grants, subject);
      case "env":
        return grants.env.includes(subject);
      case "scratch":
        return grants.scratch > 0;
    }
  }

  #denial(grant: GrantName, subject: string): HostCallError {
    const text = denialText(grant, grant === "scratch" ? "16mb" : subject);
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

/** `host` behind the grants. */
export function grantedHost(host: BareHost, access: RunAccess): Omit<PluginHost, "exceeded"> {
  const checkDatabase = (database: string | undefined): void => {
    if (database !== undefined) access.check("db", database);
  };
  return {
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
