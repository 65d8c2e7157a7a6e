/** The plugin repository over HTTPS, with the runtime's own `fetch`. Plain HTTP only where the operator named it. */
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { PluginRepository, RepositoryAnswer } from "../../ports/plugin-repository.ts";

const REDIRECTS_MAX = 5;

/** Bodies of refusals are not shown. */
const REFUSAL_STATUS_MIN = 400;

export function createHttpsRepository(): PluginRepository {
  return {
    async get(url, { bytesMax, timeMsMax }) {
      const signal = AbortSignal.timeout(timeMsMax);
      try {
        return await follow(url, { bytesMax, signal });
      } catch (error) {
        throw signal.aborted ? unanswered(`no answer within ${timeMsMax} ms`, error) : error;
      }
    },
  };
}

async function follow(first: string, { bytesMax, signal }: { bytesMax: number; signal: AbortSignal }): Promise<RepositoryAnswer> {
  let url = first;
  for (let hop = 0; hop <= REDIRECTS_MAX; hop++) {
    const response = await fetch(url, { redirect: "manual", signal }).catch((error: unknown) => {
      throw unanswered(innermost(error), error);
    });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) {
      const { status, statusText } = response;
      const body = status < REFUSAL_STATUS_MIN ? await readBody(response, bytesMax) : new Uint8Array();
      if (status >= REFUSAL_STATUS_MIN) await response.body?.cancel();
      return { status, statusText, body };
    }
    await response.body?.cancel();
    const next = new URL(location, url);
    if (next.protocol !== "https:" && new URL(url).protocol === "https:") throw unanswered(`it redirects to ${next.protocol}//`);
    url = next.href;
  }
  throw unanswered(`more than ${REDIRECTS_MAX} redirects`);
}

async function readBody(response: Response, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > bytesMax) throw unanswered(`the file is larger than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** `fetch failed` says nothing; what happened is in its cause. */
function innermost(error: unknown): string {
  let current = error;
  for (let depth = 0; depth < 4 && current instanceof Error && current.cause instanceof Error; depth++) current = current.cause;
  return messageOf(current);
}

function unanswered(message: string, cause?: unknown): DatabaseError {
  return new DatabaseError("plugin.repository", { message, ...(cause === undefined ? {} : { cause }) });
}
