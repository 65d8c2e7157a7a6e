/** Gap filling and bins by the clock of a zone. Rows marked IDB are those that InfluxDB's documentation prints. */
import type { CaseGroup } from "../case-table.ts";

const HOURS_8_TO_10 = "WHERE time >= '2022-01-01T08:00:00Z' AND time <= '2022-01-01T10:00:00Z'";
const filled = (column: string, kitchen: readonly string[], living: readonly string[], zone = ""): string[] =>
  [["Kitchen", kitchen], ["Living Room", living]].flatMap(([room, values]) =>
    (values as readonly string[]).map((value, index) => {
      const time = zone === "" ? ["08:00:00", "08:30:00", "09:00:00", "09:30:00", "10:00:00"][index] : ["00:00:00", "00:30:00", "01:00:00", "01:30:00", "02:00:00"][index];
      return `{"t":"2022-01-01T${time}${zone}","room":"${String(room)}"${value === "" ? "" : `,"${column}":${value}`}}`;
    }),
  );

export const GAPFILL_CASES: readonly CaseGroup[] = [
  {
    source: "IDB: SQL reference, time and date functions, date_bin_gapfill; misc functions, locf and interpolate",
    cases: [
      [`SELECT date_bin_gapfill(INTERVAL '30 minutes', time) AS t, room, avg(temp) AS m FROM home ${HOURS_8_TO_10} GROUP BY t, room`, filled("m", ["21.0", "", "23.0", "", "22.7"], ["21.1", "", "21.4", "", "21.8"])],
      [`SELECT date_bin_gapfill(INTERVAL '30 minutes', time) AS t, room, interpolate(avg(temp)) AS m FROM home ${HOURS_8_TO_10} GROUP BY t, room`, filled("m", ["21.0", "22.0", "23.0", "22.85", "22.7"], ["21.1", "21.25", "21.4", "21.6", "21.8"])],
      [`SELECT date_bin_gapfill(INTERVAL '30 minutes', time) AS t, room, locf(avg(temp)) AS m FROM home ${HOURS_8_TO_10} GROUP BY 1, 2`, filled("m", ["21.0", "21.0", "23.0", "23.0", "22.7"], ["21.1", "21.1", "21.4", "21.4", "21.8"])],
    ],
  },
  {
    source: "IDB: SQL reference, time and date functions, date_bin_wallclock and date_bin_wallclock_gapfill",
    cases: [
      ["SELECT date_bin_wallclock(INTERVAL '12 hours', tz(time, 'America/Los_Angeles')) AS t, room, avg(temp) AS m FROM home WHERE time >= '2022-01-01T08:00:00Z' AND time <= '2022-01-01T20:00:00Z' GROUP BY 1, room ORDER BY room, t", [
        '{"t":"2022-01-01T00:00:00-08:00","room":"Kitchen","m":22.61666666666667}', '{"t":"2022-01-01T12:00:00-08:00","room":"Kitchen","m":22.7}',
        '{"t":"2022-01-01T00:00:00-08:00","room":"Living Room","m":22.166666666666668}', '{"t":"2022-01-01T12:00:00-08:00","room":"Living Room","m":22.2}',
      ]],
      [`SELECT date_bin_wallclock_gapfill(INTERVAL '30 minutes', tz(time, 'America/Los_Angeles')) AS t, room, avg(temp) AS m FROM home ${HOURS_8_TO_10} GROUP BY 1, room`, filled("m", ["21.0", "", "23.0", "", "22.7"], ["21.1", "", "21.4", "", "21.8"], "-08:00")],
      [`SELECT date_bin_wallclock_gapfill(INTERVAL '30 minutes', tz(time, 'America/Los_Angeles')) AS t, room, interpolate(avg(temp)) AS m FROM home ${HOURS_8_TO_10} GROUP BY 1, room`, filled("m", ["21.0", "22.0", "23.0", "22.85", "22.7"], ["21.1", "21.25", "21.4", "21.6", "21.8"], "-08:00")],
      ["SELECT tz('2020-10-25T02:29:00+01:00', 'Europe/Paris') AS o, date_bin_wallclock(INTERVAL '1 hour', tz('2020-10-25T02:29:00+01:00', 'Europe/Paris'), '1970-01-01T00:30:00') AT TIME ZONE 'UTC' AS u UNION SELECT tz('2020-10-25T02:30:00+01:00', 'Europe/Paris') AS o, date_bin_wallclock(INTERVAL '1 hour', tz('2020-10-25T02:30:00+01:00', 'Europe/Paris'), '1970-01-01T00:30:00') AT TIME ZONE 'UTC' AS u ORDER BY o", [
        '{"o":"2020-10-25T02:29:00+01:00","u":"2020-10-24T23:30:00Z"}', '{"o":"2020-10-25T02:30:00+01:00","u":"2020-10-25T01:30:00Z"}',
      ]],
    ],
  },
  {
    source: "spec query §2.3: the day the clock is set back has 25 hours, and one hour comes twice; the day it is set forward has 23",
    cases: [
      ["SELECT date_bin_wallclock(INTERVAL '1 day', tz(t, 'Europe/Paris')) AS d FROM (VALUES ('2020-10-24T21:59:59Z'::timestamp), ('2020-10-24T22:00:00Z'::timestamp), ('2020-10-25T22:59:59Z'::timestamp), ('2020-10-25T23:00:00Z'::timestamp)) AS v(t) ORDER BY t", [
        '{"d":"2020-10-24T00:00:00+02:00"}', '{"d":"2020-10-25T00:00:00+02:00"}', '{"d":"2020-10-25T00:00:00+02:00"}', '{"d":"2020-10-26T00:00:00+01:00"}',
      ]],
      ["SELECT date_bin_wallclock_gapfill(INTERVAL '1 hour', tz(time, 'Europe/Paris')) AS t, sum(v) AS v FROM (VALUES ('2020-10-24T23:10:00Z'::timestamp, 1), ('2020-10-25T02:10:00Z'::timestamp, 2)) AS d(time, v) WHERE time >= '2020-10-24T23:00:00Z' AND time < '2020-10-25T03:00:00Z' GROUP BY 1", [
        '{"t":"2020-10-25T01:00:00+02:00","v":1}', '{"t":"2020-10-25T02:00:00+02:00"}', '{"t":"2020-10-25T02:00:00+01:00"}', '{"t":"2020-10-25T03:00:00+01:00","v":2}',
      ]],
      ["SELECT date_bin_wallclock_gapfill(INTERVAL '1 hour', tz(time, 'Europe/Paris')) AS t, sum(v) AS v FROM (VALUES ('2022-03-27T00:10:00Z'::timestamp, 1), ('2022-03-27T02:10:00Z'::timestamp, 2)) AS d(time, v) WHERE time >= '2022-03-27T00:00:00Z' AND time < '2022-03-27T03:00:00Z' GROUP BY 1", [
        '{"t":"2022-03-27T01:00:00+01:00","v":1}', '{"t":"2022-03-27T03:00:00+02:00"}', '{"t":"2022-03-27T04:00:00+02:00","v":2}',
      ]],
      ["SELECT date_bin_wallclock_gapfill(INTERVAL '1 day', tz(time, 'Europe/Paris')) AS t, count(*) AS n FROM (VALUES ('2022-03-26T12:00:00Z'::timestamp), ('2022-03-28T12:00:00Z'::timestamp)) AS d(time) WHERE time >= '2022-03-26' AND time < '2022-03-29' GROUP BY 1", [
        '{"t":"2022-03-26T00:00:00+01:00","n":1}', '{"t":"2022-03-27T00:00:00+01:00"}', '{"t":"2022-03-28T00:00:00+02:00","n":1}', '{"t":"2022-03-29T00:00:00+02:00"}',
      ]],
      ["SELECT date_bin_wallclock(INTERVAL '1 day', tz(time, '+05:30')) AS t FROM home ORDER BY time LIMIT 1", ['{"t":"2022-01-01T00:00:00+05:30"}']],
      ["SELECT date_bin_wallclock(INTERVAL '1 day', time) AS t FROM home ORDER BY time LIMIT 1", ['{"t":"2022-01-01T00:00:00"}']],
    ],
  },
  {
    source: "spec query §2.3: bounds, leading and trailing nulls, order, whole numbers cut towards zero",
    cases: [
      ["SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, locf(sum(co)) AS l, interpolate(sum(co)) AS i, count(*) AS c FROM home WHERE room = 'Kitchen' AND time BETWEEN '2022-01-01T19:00:00Z' AND '2022-01-01T22:30:00Z' GROUP BY t", [
        '{"t":"2022-01-01T19:00:00","l":22,"i":22,"c":1}', '{"t":"2022-01-01T20:00:00","l":26,"i":26,"c":1}', '{"t":"2022-01-01T21:00:00","l":26}', '{"t":"2022-01-01T22:00:00","l":26}',
      ]],
      ["SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, locf(sum(co)) AS l FROM home WHERE room = 'Kitchen' AND time > '2022-01-01T06:59:59.999999999Z' AND time < '2022-01-01T09:00:00Z' GROUP BY t", ['{"t":"2022-01-01T07:00:00"}', '{"t":"2022-01-01T08:00:00","l":0}']],
      // 3 → 7 in an hour: 5 in the middle, 4 and 6 at the quarters; 9 → 18: 13.5 is cut to 13.
      ["SELECT date_bin_gapfill(INTERVAL '30 minutes', time) AS t, interpolate(max(co)) AS i FROM home WHERE room = 'Kitchen' AND time >= '2022-01-01T15:00:00Z' AND time <= '2022-01-01T18:00:00Z' GROUP BY t", [
        '{"t":"2022-01-01T15:00:00","i":3}', '{"t":"2022-01-01T15:30:00","i":5}', '{"t":"2022-01-01T16:00:00","i":7}', '{"t":"2022-01-01T16:30:00","i":8}', '{"t":"2022-01-01T17:00:00","i":9}', '{"t":"2022-01-01T17:30:00","i":13}', '{"t":"2022-01-01T18:00:00","i":18}',
      ]],
      ["SELECT date_bin_gapfill(INTERVAL '1 hour', time, '2022-01-01T00:30:00Z') AS t, max(co) AS m FROM home WHERE room = 'Kitchen' AND time >= '2022-01-01T19:00:00Z' AND time < '2022-01-01T20:00:00Z' GROUP BY t", ['{"t":"2022-01-01T18:30:00","m":22}', '{"t":"2022-01-01T19:30:00"}']],
      ["SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, coalesce(max(co), -1) AS m FROM home WHERE room = 'Kitchen' AND time >= '2022-01-01T20:00:00Z' AND time < '2022-01-01T22:00:00Z' GROUP BY t ORDER BY t DESC", ['{"t":"2022-01-01T21:00:00","m":-1}', '{"t":"2022-01-01T20:00:00","m":26}']],
      ["SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, max(co) AS m FROM home WHERE room = 'Kitchen' AND time >= '2022-01-01T20:00:00Z' AND time < '2022-01-01T22:00:00Z' GROUP BY t HAVING max(co) IS NULL", ['{"t":"2022-01-01T21:00:00"}']],
      ["SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, selector_last(temp, time)['value'] AS v FROM home WHERE room = 'Kitchen' AND time >= '2022-01-01T20:00:00Z' AND time < '2022-01-01T22:00:00Z' GROUP BY t", ['{"t":"2022-01-01T20:00:00","v":22.7}', '{"t":"2022-01-01T21:00:00"}']],
      ["SELECT a FROM (SELECT date_bin_gapfill(INTERVAL '1 day', time) AS t, count(*) AS a FROM home WHERE time >= '2021-12-31' AND time < '2022-01-02' GROUP BY 1) AS q WHERE a IS NOT NULL", ['{"a":26}']],
      ["SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, count(*) AS c FROM home WHERE time >= '2030-01-01' AND time < '2030-01-02' GROUP BY t", []],
      ["SELECT date_bin_gapfill(INTERVAL '12 hours', time) AS t, count(*) AS c FROM home WHERE time > now() - INTERVAL '1 day' AND time <= now() GROUP BY t", ['{"t":"2022-01-01T00:00:00","c":8}', '{"t":"2022-01-01T12:00:00","c":18}', '{"t":"2022-01-02T00:00:00"}']],
    ],
    refused: [
      ["SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, avg(temp) FROM home GROUP BY t", "gap-filling query is missing both upper and lower time bounds"],
      ["SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, avg(temp) FROM home WHERE time < now() GROUP BY t", "gap-filling query is missing lower time bound"],
      ["SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, avg(temp) FROM home WHERE time > '2022-01-01' GROUP BY t", "gap-filling query is missing upper time bound"],
      [`SELECT date_bin_gapfill(INTERVAL '1 month', time) AS t, avg(temp) FROM home ${HOURS_8_TO_10} GROUP BY t`, "does not support months or years"],
      [`SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, date_bin_gapfill(INTERVAL '2 hours', time) AS u FROM home ${HOURS_8_TO_10} GROUP BY t, u`, "DATE_BIN_GAPFILL specified more than once"],
      [`SELECT date_bin_gapfill(INTERVAL '1 hour', time + INTERVAL '1 hour') AS t FROM home ${HOURS_8_TO_10} GROUP BY t`, "DATE_BIN_GAPFILL requires a column as the source argument"],
      ["SELECT date_bin_gapfill(INTERVAL '1 hour', time) FROM home", "date_bin_gapfill may only be used as a GROUP BY expression"],
      ["SELECT locf(avg(temp)) FROM home", "locf may only be used in the SELECT list of a gap-filling query"],
      [`SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, interpolate(room) FROM home ${HOURS_8_TO_10} GROUP BY t, room`, "interpolate must be called on an aggregate column in a gap-filling query"],
      [`SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, interpolate(max(room)) FROM home ${HOURS_8_TO_10} GROUP BY t`, "unsupported data type Utf8 for interpolation gap filling"],
      ["SELECT date_bin_gapfill(INTERVAL '1 nanosecond', time) AS t FROM home WHERE time > '2022-01-01' AND time < now() GROUP BY t", "bins, more than 1000000"],
      ["SELECT date_bin_wallclock(INTERVAL '1 month', tz(time, 'Europe/Paris')) FROM home", "does not support months or years"],
    ],
  },
];
