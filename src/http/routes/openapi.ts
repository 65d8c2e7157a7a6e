/** `/openapi.json`: the document is made from the other routes when it is first asked for. */
import { jsonReply } from "../reply.ts";
import type { DocumentedRoute } from "../openapi.ts";
import type { Route } from "../route.ts";
import { WRITE_DOCS } from "./write.ts";

const SELF: DocumentedRoute = {
  method: "GET",
  path: "/openapi.json",
  doc: { tag: "Server", summary: "This document", success: { status: 200, types: ["application/json"] } },
};

export function openApiRoute(routes: readonly Route[]): Route {
  const documented = routes.flatMap(({ method, path, doc }): DocumentedRoute[] => (doc === undefined ? [] : [{ method, path, doc }]));
  return {
    ...SELF,
    async handle(_request, { services }) {
      const { openApi } = await import("../openapi.ts");
      return jsonReply(openApi([...WRITE_DOCS, ...documented, SELF], services.version.tidemark));
    },
  };
}
