/**
 * Trigger specifications: what makes a trigger fire. The grammar, its canonical texts, JSON forms and error texts are
 * the reference's (spec: processing-engine §2); durations below a millisecond are refused because a schedule with
 * period zero poisons the reference's engine (§2.2, defect 1).
 */
import { formatDuration, parseDuration } from "../config/humantime.ts";
import { DatabaseError } from "../errors/database-error.ts";
import { parseCron, type CronSchedule } from "./cron.ts";

export type TriggerSpecification =
  | { readonly kind: "table"; readonly tableName: string }
  | { readonly kind: "all-tables" }
  | { readonly kind: "cron"; readonly expression: string; readonly schedule: CronSchedule }
  | { readonly kind: "every"; readonly periodNs: bigint }
  | { readonly kind: "request"; readonly path: string };

/** Upstream's names of the three plugin types, used verbatim in texts. */
export type PluginType = "WalRows" | "Schedule" | "Request";

const PERIOD_NS_MAX = 31_557_600_000_000_000n;
const PERIOD_NS_MIN = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;

const FORMS =
  "expect one of the following forms: 'table:<TABLE_NAME>', 'all_tables', 'cron:<CRON_EXPRESSION>', 'every:<DURATION>', or 'request:<PATH>'";

function invalid(text: string, context?: string, hint?: string): DatabaseError {
  return new DatabaseError("trigger.invalid_specification", {
    message: `failed to parse trigger from ${text}${context === undefined ? "" : `: ${context}`}`,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Throws `trigger.invalid_specification` with the reference's text. */
export function parseTriggerSpecification(input: string): TriggerSpecification {
  const text = input.trim();
  if (text === "all_tables") return { kind: "all-tables" };
  const table = afterPrefix(text, "table:");
  if (table !== undefined) {
    if (table === "") throw invalid(text, "table name is empty");
    return { kind: "table", tableName: table };
  }
  const cron = afterPrefix(text, "cron:");
  if (cron !== undefined) return parseCronForm(text, cron);
  const every = afterPrefix(text, "every:");
  if (every !== undefined) return { kind: "every", periodNs: parsePeriod(text, every) };
  const path = afterPrefix(text, "request:");
  if (path !== undefined) {
    if (path === "") throw invalid(text);
    return { kind: "request", path };
  }
  throw invalid(text, FORMS);
}

/** A repeated prefix is stripped every time; undefined when the text does not start with it. */
function afterPrefix(text: string, prefix: string): string | undefined {
  if (!text.startsWith(prefix)) return undefined;
  let rest = text;
  while (rest.startsWith(prefix)) rest = rest.slice(prefix.length);
  return rest.trim();
}

function parseCronForm(text: string, expression: string): TriggerSpecification {
  const schedule = parseCron(expression);
  if (typeof schedule === "string") {
    throw invalid(text, undefined, `${schedule}; the fields are: second minute hour day-of-month month day-of-week [year]`);
  }
  return { kind: "cron", expression, schedule };
}

function parsePeriod(text: string, duration: string): bigint {
  const ns = parseDuration(duration);
  if (ns === undefined) throw invalid(text, "couldn't parse to duration", "write a number and a unit, as in every:10s");
  if (ns > PERIOD_NS_MAX) throw invalid(text, "don't support every schedules of over 1 year");
  if (ns < PERIOD_NS_MIN) throw invalid(text, "don't support every schedules of under 1 millisecond");
  return ns;
}

/** The text that the catalog keeps. */
export function formatTriggerSpecification(specification: TriggerSpecification): string {
  switch (specification.kind) {
    case "table":
      return `table:${specification.tableName}`;
    case "all-tables":
      return "all_tables";
    case "cron":
      return `cron:${specification.expression}`;
    case "every":
      return `every:${formatDuration(specification.periodNs)}`;
    case "request":
      return `request:${specification.path}`;
  }
}

/** The JSON text of `system.processing_engine_triggers.trigger_specification`. */
export function triggerSpecificationJson(specification: TriggerSpecification): string {
  switch (specification.kind) {
    case "table":
      return JSON.stringify({ single_table_wal_write: { table_name: specification.tableName } });
    case "all-tables":
      return JSON.stringify("all_tables_wal_write");
    case "cron":
      return JSON.stringify({ schedule: { schedule: specification.expression } });
    case "every": {
      const secs = Number(specification.periodNs / NS_PER_SECOND);
      return JSON.stringify({ every: { duration: { secs, nanos: Number(specification.periodNs % NS_PER_SECOND) } } });
    }
    case "request":
      return JSON.stringify({ request_path: { path: specification.path } });
  }
}

export function pluginTypeOf(specification: TriggerSpecification): PluginType {
  if (specification.kind === "request") return "Request";
  return specification.kind === "every" || specification.kind === "cron" ? "Schedule" : "WalRows";
}
