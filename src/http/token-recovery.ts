/**
 * The second listener of an owner who lost the operator token (spec: http-api §1): one path, no token, one use. Whoever
 * reaches its address may replace the token, so it serves nothing else, and web pages are turned away.
 */
import { errorReply } from "./error-reply.ts";
import { strangerRefusal } from "./local-callers.ts";
import { toResponse } from "./reply.ts";
import { issuedToken, REGENERATE_PATH } from "./routes/tokens.ts";
import type { Services } from "./services.ts";

export interface TokenRecoveryOptions {
  readonly tokens: Pick<Services["tokens"], "regenerateOperator">;
  /** The address is this machine's own: requests under another host name come from a web page. */
  readonly localCallersOnly: boolean;
  /** Once, after the token was replaced. */
  onUsed(): void;
}

/** A failed attempt (there is no operator token yet) leaves the recovery open. */
export function createTokenRecovery({ tokens, localCallersOnly, onUsed }: TokenRecoveryOptions): (request: Request) => Promise<Response> {
  let isTaken = false;
  return async (request) => {
    if (isTaken || request.method !== "POST" || new URL(request.url).pathname !== REGENERATE_PATH) return new Response("not found", { status: 404 });
    const header = (name: string): string | undefined => request.headers.get(name) ?? undefined;
    // No page has business here, whatever the address: it could not read the new token, but it would end the old one.
    const refusal = strangerRefusal({ localCallersOnly: localCallersOnly || header("origin") !== undefined }, header);
    if (refusal !== undefined) return toResponse(errorReply(refusal), {});
    isTaken = true;
    try {
      const reply = issuedToken(await tokens.regenerateOperator());
      onUsed();
      return toResponse(reply, {});
    } catch (error) {
      isTaken = false;
      return toResponse(errorReply(error), {});
    }
  };
}
