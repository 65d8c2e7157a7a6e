/** Health, ping and metrics (spec: http-api §9). */
import * as v from "valibot";
import { renderPrometheus } from "../prometheus.ts";
import { textReply, type Reply } from "../reply.ts";
import type { Route, RouteContext, RouteDoc } from "../route.ts";

const UNAVAILABLE = 503;

/** The reference says only OK; what is wrong follows it, or takes its place when writes are refused. */
function health(_request: Request, { services }: RouteContext): Reply {
  const problems = services.health?.problems() ?? [];
  if (problems.length === 0) return textReply("OK");
  const texts = problems.map(({ text }) => text).join("; ");
  return problems.some(({ level }) => level === "failing") ? { ...textReply(`FAILING: ${texts}`), status: UNAVAILABLE } : textReply(`OK (degraded: ${texts})`);
}

function ping(_request: Request, { services, options }: RouteContext): Reply {
  const requestId = options.newRequestId();
  const { influxdb, tidemark, revision } = services.version;
  return {
    status: 200,
    headers: {
      "content-type": "application/json",
      "x-influxdb-version": influxdb,
      "x-influxdb-build": "Core",
      "x-tidemark-version": tidemark,
      "request-id": requestId,
      "x-request-id": requestId,
    },
    body: JSON.stringify({
      product_name: "InfluxDB 3 Core",
      version: influxdb,
      revision,
      process_id: options.processId,
      implementation: "Tidemark",
      implementation_version: tidemark,
    }),
  };
}

function metrics(_request: Request, { services }: RouteContext): Reply {
  return {
    status: 200,
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    body: renderPrometheus(services.metrics.collect()),
  };
}

const text = (...types: readonly string[]): RouteDoc["success"] => ({ status: 200, types });
const doc = (summary: string, success: RouteDoc["success"], failures: readonly number[] = []): RouteDoc => ({ tag: "Server", summary, success, failures });
const HEALTH = doc("Whether the server works; names what does not", text("text/plain"), [503]);
const PING = doc("Version and build", {
  status: 200,
  types: ["application/json"],
  schema: v.looseObject({ product_name: v.string(), version: v.string(), revision: v.string(), process_id: v.string() }),
});

export const HEALTH_ROUTES: readonly Route[] = [
  { method: "GET", path: "/health", handle: health, doc: HEALTH },
  { method: "GET", path: "/api/v1/health", handle: health, doc: HEALTH },
  { method: "GET", path: "/ping", handle: ping, doc: PING },
  { method: "POST", path: "/ping", handle: ping, doc: PING },
  { method: "GET", path: "/metrics", handle: metrics, doc: doc("Metrics for Prometheus", text("text/plain")) },
];
