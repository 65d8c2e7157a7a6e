/**
 * Tokens: made, replaced and deleted through the catalog, so each change is durable before it is answered; looked up in the
 * catalog's state, so each holds from then on (spec: http-api §3).
 */
import { planCreateToken, planDeleteToken, planRegenerateOperator } from "../core/catalog/plan-tokens.ts";
import { DatabaseError } from "../core/errors/database-error.ts";
import { findByHash, isActive, looksLikeToken, OPERATOR_TOKEN_NAME, type TokenDefinition } from "../core/tokens/token.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogSink } from "../ports/log-sink.ts";
import type { TokenSource } from "../ports/token-source.ts";
import type { CatalogService } from "./catalog-service.ts";

const NS_PER_MS = 1_000_000n;
const MS_PER_SECOND = 1_000n;

/** A token at its birth: the only time that its text is seen. */
export interface IssuedToken {
  readonly definition: TokenDefinition;
  readonly text: string;
}

/** What `create token --offline` wrote (spec: http-api §3.3). */
export interface OfflineToken {
  readonly token: string;
  readonly name: string;
  readonly expiryMs?: bigint;
}

export interface TokenServiceOptions {
  readonly catalog: Pick<CatalogService, "state" | "change">;
  readonly source: TokenSource;
  readonly clock: Pick<Clock, "nowNs">;
  readonly log: LogSink;
}

export class TokenService {
  readonly #options: TokenServiceOptions;

  constructor(options: TokenServiceOptions) {
    this.#options = options;
  }

  /** Nobody can do anything but make the first token. */
  get isEmpty(): boolean {
    return this.#options.catalog.state.tokens.size === 0;
  }

  /** The token's definition. Throws `auth.unauthenticated` for none, an unknown and an expired one alike. */
  authenticate(text: string | undefined): TokenDefinition {
    const { catalog, source } = this.#options;
    const found = text === undefined || !looksLikeToken(text) ? undefined : findByHash(catalog.state.tokens.values(), source.hash(text));
    if (found === undefined || !isActive(found, this.#nowMs())) throw this.#refusal();
    return found;
  }

  /** Throws `token.exists` when there is one. */
  createOperator(): Promise<IssuedToken> {
    return this.#create(OPERATOR_TOKEN_NAME, {});
  }

  /** `expirySeconds` counts from now. Throws `token.exists`, `token.limit`. */
  createNamed(name: string, options: { readonly expirySeconds?: bigint; readonly createdBy?: number }): Promise<IssuedToken> {
    const { expirySeconds, createdBy } = options;
    return this.#create(name, {
      ...(expirySeconds === undefined ? {} : { expiryMs: this.#nowMs() + expirySeconds * MS_PER_SECOND }),
      ...(createdBy === undefined ? {} : { createdBy }),
    });
  }

  /** The old operator token is dead when this resolves. Throws `resource.not_found` when there was none. */
  async regenerateOperator(updatedBy?: number): Promise<IssuedToken> {
    const { catalog, source } = this.#options;
    const text = source.newToken();
    const replacement = { hash: source.hash(text), updatedMs: this.#nowMs(), ...(updatedBy === undefined ? {} : { updatedBy }) };
    const state = await catalog.change((current) => planRegenerateOperator(current, replacement));
    return { text, definition: state.tokens.get(OPERATOR_TOKEN_NAME) as TokenDefinition };
  }

  /** Throws `token.operator`, `resource.not_found`. */
  async delete(name: string): Promise<void> {
    await this.#options.catalog.change((state) => planDeleteToken(state, name));
  }

  /** Takes over a token made offline; a name that exists is left alone. Throws `server.misconfigured`. */
  async adopt({ token, name, expiryMs }: OfflineToken): Promise<void> {
    const { catalog, source, log } = this.#options;
    if (!looksLikeToken(token)) throw new DatabaseError("server.misconfigured", { message: "invalid token: it must start with apiv3_", hint: "make the file with 'influxdb3 create token --admin --offline --output-file FILE'" });
    if (catalog.state.tokens.has(name)) return;
    const fresh = { name, hash: source.hash(token), createdMs: this.#nowMs(), ...(expiryMs === undefined ? {} : { expiryMs }) };
    await catalog.change((state) => (state.tokens.has(name) ? [] : planCreateToken(state, fresh)));
    log.log("info", `The admin token "${name}" was taken over from the token file`);
  }

  async #create(name: string, rest: { readonly expiryMs?: bigint; readonly createdBy?: number }): Promise<IssuedToken> {
    const { catalog, source } = this.#options;
    const text = source.newToken();
    const fresh = { name, hash: source.hash(text), createdMs: this.#nowMs(), ...rest };
    const state = await catalog.change((current) => planCreateToken(current, fresh));
    return { text, definition: state.tokens.get(name) as TokenDefinition };
  }

  #nowMs(): bigint {
    return this.#options.clock.nowNs() / NS_PER_MS;
  }

  #refusal(): DatabaseError {
    return new DatabaseError("auth.unauthenticated", {
      message: '{"error": "the request was not authenticated"}',
      hint: this.isEmpty
        ? "this server has no token yet: make the first one with 'influxdb3 create token --admin'"
        : 'send "Authorization: Bearer <token>" with a valid token (--token or INFLUXDB3_AUTH_TOKEN on the command line)',
    });
  }
}
