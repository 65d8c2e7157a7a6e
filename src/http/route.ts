/** A route as the families write it: from a request to a reply. `app.ts` mounts them; `services.ts` is what they use. */
import type * as v from "valibot";
import type { PeerOf } from "../ports/http-listener.ts";
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

/** What the OpenAPI document says of a route; the schemas are those that check its requests. */
export interface RouteDoc {
  readonly tag: "Write" | "Query" | "Databases and tables" | "Caches" | "Triggers and plugins" | "Tokens" | "Server";
  readonly summary: string;
  /** Query parameters. */
  readonly query?: ObjectSchema;
  /** JSON body. */
  readonly json?: ObjectSchema;
  /** The parameters may stand in the URL or in a JSON body. */
  readonly eitherPlace?: true;
  /** Content type of a body that is not JSON. */
  readonly bodyType?: string;
  readonly success: RouteSuccess;
  /** Statuses of its own failures, beside 400 and 401. */
  readonly failures?: readonly number[];
}

export interface RouteSuccess {
  readonly status: number;
  /** Content types of the body; none: it is empty. */
  readonly types?: readonly string[];
  /** Of a JSON body. */
  readonly schema?: v.GenericSchema;
}

type ObjectSchema = v.GenericSchema<unknown, unknown>;

export interface Route {
  readonly doc?: RouteDoc;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Exact, or with `*` at the end for everything below. */
  readonly path: string;
  handle(request: Request, context: RouteContext, peer: PeerOf): Promise<Reply> | Reply;
}
