/** Plans of changes to tokens (spec: http-api §3.4): each gives the ops that do it, or throws with the reference's text. */
import { DatabaseError } from "../errors/database-error.ts";
import { OPERATOR_TOKEN_NAME, TOKEN_NAME_LENGTH_MAX, TOKENS_MAX, type TokenDefinition } from "../tokens/token.ts";
import type { CatalogOp } from "./ops.ts";
import { missingResource } from "./plan.ts";
import type { CatalogState } from "./state.ts";

export type NewToken = Omit<TokenDefinition, "id">;

export function planCreateToken(state: CatalogState, token: NewToken): CatalogOp[] {
  if (token.name === "" || token.name.length > TOKEN_NAME_LENGTH_MAX) {
    throw new DatabaseError("request.invalid", { message: `token name must have 1 to ${TOKEN_NAME_LENGTH_MAX} characters` });
  }
  if (state.tokens.has(token.name)) {
    throw new DatabaseError("token.exists", {
      message: `token name already exists, ${token.name}`,
      hint: token.name === OPERATOR_TOKEN_NAME ? "replace it with 'influxdb3 create token --admin --regenerate', which needs the present one" : "choose another name, or delete that token first",
    });
  }
  if (state.tokens.size >= TOKENS_MAX) {
    throw new DatabaseError("token.limit", { message: `Adding a token would exceed limit of ${TOKENS_MAX} tokens`, hint: "delete tokens that nobody uses" });
  }
  return [{ kind: "create-token", token: { ...token, id: state.lastTokenId + 1 } }];
}

/** The operator's old token dies with this change. */
export function planRegenerateOperator(state: CatalogState, replacement: { readonly hash: string; readonly updatedMs: bigint; readonly updatedBy?: number }): CatalogOp[] {
  if (!state.tokens.has(OPERATOR_TOKEN_NAME)) {
    throw new DatabaseError("resource.not_found", { message: "the requested resource was not found: missing admin token, cannot update", hint: "create it with 'influxdb3 create token --admin'" });
  }
  return [{ kind: "replace-token", name: OPERATOR_TOKEN_NAME, ...replacement }];
}

export function planDeleteToken(state: CatalogState, name: string): CatalogOp[] {
  if (name === OPERATOR_TOKEN_NAME) {
    throw new DatabaseError("token.operator", { message: "cannot delete operator token", hint: "replace it with 'influxdb3 create token --admin --regenerate'" });
  }
  if (!state.tokens.has(name)) throw missingResource(name);
  return [{ kind: "delete-token", name }];
}
