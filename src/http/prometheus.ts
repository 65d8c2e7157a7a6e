/** Metrics in the Prometheus text format 0.0.4, closed by `# EOF` as the reference does (spec: http-api §9). */
import type { Metric } from "./services.ts";

export function renderPrometheus(metrics: readonly Metric[]): string {
  return `${metrics.map(renderMetric).join("")}# EOF\n`;
}

function renderMetric(metric: Metric): string {
  const samples = metric.samples.map(({ ending = "", labels, value }) => `${metric.name}${ending}${renderLabels(labels)} ${renderValue(value)}\n`);
  return `# HELP ${metric.name} ${escapeHelp(metric.help)}\n# TYPE ${metric.name} ${metric.type}\n${samples.join("")}`;
}

function renderLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function renderValue(value: number | bigint): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
