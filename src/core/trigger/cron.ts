/**
 * Cron expressions in the dialect of the Rust crate `cron` 0.15 (spec: processing-engine §2.1): seconds first, 6 or 7
 * fields, weekdays 1–7 from Sunday, day-of-month AND day-of-week, UTC. Five fields are accepted with second 0, where
 * weekdays keep the crate's numbering (compatibility decision, §23).
 */

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: ReadonlyMap<string, number>;
  readonly questionMark?: true;
}

/** The values of each field that fire; `years` undefined: all of 1970–2100. */
export interface CronSchedule {
  readonly seconds: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  readonly years: ReadonlySet<number>;
}

const EXPRESSION_LENGTH_MAX = 1024;
const YEAR_MAX = 2100;

const named = (names: string, from: number): ReadonlyMap<string, number> =>
  new Map(names.split(" ").flatMap((group, index) => group.split("|").map((name): [string, number] => [name, index + from])));

const MONTHS = named(
  "jan|january feb|february mar|march apr|april may jun|june jul|july aug|august sep|september oct|october nov|november dec|december",
  1,
);
const WEEKDAYS = named(
  "sun|sunday mon|monday tue|tues|tuesday wed|wednesday thu|thurs|thursday fri|friday sat|saturday",
  1,
);

const FIELDS: readonly Field[] = [
  { name: "second", min: 0, max: 59 },
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day-of-month", min: 1, max: 31, questionMark: true },
  { name: "month", min: 1, max: 12, names: MONTHS },
  { name: "day-of-week", min: 1, max: 7, names: WEEKDAYS, questionMark: true },
  { name: "year", min: 1970, max: YEAR_MAX },
];

const SHORTHANDS: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 0 1 1 * *"],
  ["@monthly", "0 0 0 1 * * *"],
  ["@weekly", "0 0 0 * * 1 *"],
  ["@daily", "0 0 0 * * * *"],
  ["@hourly", "0 0 * * * * *"],
]);

/** A schedule, or a sentence that names the field that cannot be read. */
export function parseCron(expression: string): CronSchedule | string {
  if (expression.length > EXPRESSION_LENGTH_MAX) return `the cron expression is longer than ${EXPRESSION_LENGTH_MAX} characters`;
  const text = SHORTHANDS.get(expression.trim()) ?? expression;
  const parts = text.trim().split(/\s+/).filter((part) => part !== "");
  if (parts.length === 5) parts.unshift("0");
  if (parts.length < 6 || parts.length > 7) return `a cron expression has 6 or 7 fields, this one has ${parts.length}`;
  if (parts.length === 6) parts.push("*");
  const sets: ReadonlySet<number>[] = [];
  for (const [index, field] of FIELDS.entries()) {
    const set = parseField(parts[index] as string, field);
    if (set === undefined) return `the ${field.name} field '${parts[index]}' cannot be read`;
    sets.push(set);
  }
  const [seconds, minutes, hours, days, months, weekdays, years] = sets as [
    Set<number>, Set<number>, Set<number>, Set<number>, Set<number>, Set<number>, Set<number>,
  ];
  return { seconds, minutes, hours, days, months, weekdays, years };
}

function parseField(text: string, field: Field): Set<number> | undefined {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const [range, stepText, extra] = item.split("/");
    if (range === undefined || extra !== undefined) return undefined;
    const step = stepText === undefined ? 1 : Number(stepText);
    if (stepText !== undefined && (!/^\d+$/.test(stepText) || step < 1)) return undefined;
    const bounds = parseRange(range, stepText !== undefined, field);
    if (bounds === undefined) return undefined;
    for (let value = bounds[0]; value <= bounds[1]; value += step) values.add(value);
  }
  return values;
}

/** `a/n` runs from a to the field's end. */
function parseRange(text: string, stepped: boolean, field: Field): [number, number] | undefined {
  if (text === "*" || (text === "?" && field.questionMark === true)) return [field.min, field.max];
  const ends = text.split("-").map((end) => parseValue(end, field));
  const [from, to, extra] = ends;
  if (from === undefined || extra !== undefined) return undefined;
  if (ends.length === 1) return [from, stepped ? field.max : from];
  return to === undefined || to < from ? undefined : [from, to];
}

function parseValue(text: string, field: Field): number | undefined {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : field.names?.get(text.toLowerCase());
  return value !== undefined && value >= field.min && value <= field.max ? value : undefined;
}

const MS_PER_DAY = 86_400_000;

/** First firing strictly after `afterMs` (Unix milliseconds, UTC); undefined when it never fires again. */
export function nextCronFire(schedule: CronSchedule, afterMs: number): number | undefined {
  const start = Math.floor(afterMs / 1000) * 1000 + 1000;
  let day = Math.floor(start / MS_PER_DAY) * MS_PER_DAY;
  let earliest = start - day;
  const dayLast = Date.UTC(YEAR_MAX, 11, 31);
  for (; day <= dayLast; day += MS_PER_DAY, earliest = 0) {
    if (!firesOn(schedule, new Date(day))) continue;
    const time = nextTimeOfDay(schedule, earliest / 1000);
    if (time !== undefined) return day + time * 1000;
  }
  return undefined;
}

function firesOn(schedule: CronSchedule, date: Date): boolean {
  return (
    schedule.years.has(date.getUTCFullYear()) &&
    schedule.months.has(date.getUTCMonth() + 1) &&
    schedule.days.has(date.getUTCDate()) &&
    schedule.weekdays.has(date.getUTCDay() + 1)
  );
}

function nextTimeOfDay(schedule: CronSchedule, fromSecond: number): number | undefined {
  for (const hour of sorted(schedule.hours)) {
    if ((hour + 1) * 3600 <= fromSecond) continue;
    for (const minute of sorted(schedule.minutes)) {
      const base = hour * 3600 + minute * 60;
      if (base + 60 <= fromSecond) continue;
      const second = sorted(schedule.seconds).find((value) => base + value >= fromSecond);
      if (second !== undefined) return base + second;
    }
  }
  return undefined;
}

const sorted = (values: ReadonlySet<number>): number[] => [...values].sort((a, b) => a - b);
