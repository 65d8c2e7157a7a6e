/** A route as the families write it: from a request to a reply. `app.ts` mounts them; `services.ts` is what they use. */
import type { TriggerSpecification } from "../core/trigger/specification.ts";
import type { AuthenticationRules } from "./authorization.ts";
import type { BodyRules } from "./body.ts";
import type { CallerRules } from "./local-callers.ts";
import type { Reply } from "./reply.ts";
import type { RequestLogRules } from "./request-log.ts";
import type { Services } from "./services.ts";

export interface EdgeOptions extends BodyRules, CallerRules, AuthenticationRules, RequestLogRules {
  /** Same for the life of the process. */
  readonly processId: string;
  /** Refused on create (`--restrict-plugin-triggers-to` lists what stays allowed). */
  readonly allowsTrigger?: (specification: TriggerSpecification) => boolean;
}

export interface RouteContext {
  readonly services: Services;
  readonly options: EdgeOptions;
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Exact, or with `*` at the end for everything below. */
  readonly path: string;
  handle(request: Request, context: RouteContext): Promise<Reply> | Reply;
}
