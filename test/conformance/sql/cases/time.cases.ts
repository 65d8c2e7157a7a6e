/** Time in every form. */
import type { CaseGroup } from "../case-table.ts";

export const TIME_CASES: readonly CaseGroup[] = [
  {
    source: "spec query §2.3; DataFusion documentation: date_bin",
    cases: [
      // DF
      ["SELECT date_bin(INTERVAL '1 day', time) AS bin FROM VALUES ('2023-01-01T18:18:18Z'), ('2023-01-03T19:00:03Z') t(time)", ['{"bin":"2023-01-01T00:00:00"}', '{"bin":"2023-01-03T00:00:00"}']],
      // DF
      ["SELECT date_bin(INTERVAL '1 day', time, '2023-01-01T03:00:00') AS bin FROM VALUES ('2023-01-01T18:18:18Z'), ('2023-01-03T19:00:03Z') t(time)", ['{"bin":"2023-01-01T03:00:00"}', '{"bin":"2023-01-03T03:00:00"}']],
      ["SELECT date_bin(INTERVAL '2 hours', time) AS t, avg(temp) AS m FROM home WHERE room = 'Kitchen' AND time < '2022-01-01T12:00:00Z' GROUP BY t ORDER BY t", ['{"t":"2022-01-01T08:00:00","m":22.0}', '{"t":"2022-01-01T10:00:00","m":22.549999999999997}']],
      ["SELECT date_bin(INTERVAL '1 nanosecond', time) AS t FROM types ORDER BY t LIMIT 1", ['{"t":"1969-12-31T23:59:59.999999999"}']],
      ["SELECT date_bin(INTERVAL '10 nanoseconds', time) AS t FROM types ORDER BY t LIMIT 1", ['{"t":"1969-12-31T23:59:59.999999990"}']],
      ["SELECT date_bin(INTERVAL '1 hour', time) AS t FROM types ORDER BY t LIMIT 1", ['{"t":"1969-12-31T23:00:00"}']],
      ["SELECT date_bin(INTERVAL '1 month', to_timestamp('2023-02-15T00:00:00Z')) AS t", ['{"t":"2023-02-01T00:00:00"}']],
      ["SELECT date_bin(INTERVAL '3 months', to_timestamp('2023-02-15T00:00:00Z')) AS t", ['{"t":"2023-01-01T00:00:00"}']],
      ["SELECT date_bin(INTERVAL '1 month', to_timestamp('2023-02-15T00:00:00Z'), '2023-01-20T00:00:00Z') AS t", ['{"t":"2023-01-20T00:00:00"}']],
      ["SELECT date_bin(INTERVAL '1 year', to_timestamp('1969-06-01T00:00:00Z')) AS t", ['{"t":"1969-01-01T00:00:00"}']],
      // The ends of the 64-bit range stay exact.
      ["SELECT date_bin(INTERVAL '1 second', to_timestamp(9223372036854775807)) AS t", ['{"t":"2262-04-11T23:47:16"}']],
    ],
  },
  {
    source: "DataFusion documentation: date_trunc, date_part, extract",
    cases: [
      ["SELECT date_trunc('month', '2024-05-13T09:10:11.123456789Z') AS t", ['{"t":"2024-05-01T00:00:00"}']],
      ["SELECT date_trunc('week', to_timestamp('2024-05-19T09:00:00Z')) AS t", ['{"t":"2024-05-13T00:00:00"}']],
      ["SELECT date_trunc('quarter', to_timestamp('2024-05-19T09:00:00Z')) AS t", ['{"t":"2024-04-01T00:00:00"}']],
      ["SELECT date_trunc('microsecond', to_timestamp(1641024000000001999)) AS t", ['{"t":"2022-01-01T08:00:00.000001"}']],
      ["SELECT date_trunc('day', tz(time, 'America/New_York')) AS t FROM home ORDER BY time LIMIT 1", ['{"t":"2022-01-01T00:00:00-05:00"}']],
      ["SELECT extract(hour FROM time) AS h FROM home ORDER BY time LIMIT 1", ['{"h":8}']],
      ["SELECT date_part('dow', '2022-01-01'::timestamp) AS d, date_part('doy', '2022-02-01'::timestamp) AS y", ['{"d":6,"y":32}']],
      ["SELECT date_part('nanosecond', to_timestamp(1641024000000000007)) AS n", ['{"n":7}']],
      ["SELECT extract(epoch FROM to_timestamp(1500000000)) AS e", ['{"e":1.5}']],
    ],
  },
  {
    source: "spec query §2.3: integers of to_timestamp are nanoseconds",
    cases: [
      ["SELECT to_timestamp(1641024000123456789) AS t", ['{"t":"2022-01-01T08:00:00.123456789"}']],
      // DF
      ["SELECT to_timestamp('2023-01-31T09:26:56.123456789-05:00') AS t", ['{"t":"2023-01-31T14:26:56.123456789"}']],
      ["SELECT to_timestamp('03:59:00.123 05-17-2023', '%H:%M:%S%.f %m-%d-%Y') AS t", ['{"t":"2023-05-17T03:59:00.123"}']],
      ["SELECT to_timestamp_seconds(1) AS a, to_timestamp_millis(1) AS b, to_timestamp_micros(1) AS c, to_timestamp_nanos(1) AS d", ['{"a":"1970-01-01T00:00:01","b":"1970-01-01T00:00:00.001","c":"1970-01-01T00:00:00.000001","d":"1970-01-01T00:00:00.000000001"}']],
      ["SELECT from_unixtime(1599572549) AS t", ['{"t":"2020-09-08T13:42:29"}']],
      ["SELECT to_unixtime(to_timestamp('2020-09-08T12:00:00+00:00')) AS u", ['{"u":1599566400}']],
      ["SELECT 1643610630123000000::TIMESTAMP AS t", ['{"t":"2022-01-31T06:30:30.123"}']],
      ["SELECT '2024-01-01'::timestamp AS t, TIMESTAMP '2024-01-01 01:02:03.5' AS u, DATE '2024-02-29' AS d", ['{"t":"2024-01-01T00:00:00","u":"2024-01-01T01:02:03.500","d":"2024-02-29"}']],
      // DF
      ["SELECT make_date(2023, 1, 31) AS d, to_date('2023-01-31') AS e, to_char('2023-03-01'::timestamp, '%d-%m-%Y') AS c", ['{"d":"2023-01-31","e":"2023-01-31","c":"01-03-2023"}']],
      ["SELECT now() AS n, current_date AS d, now() - INTERVAL '1 hour' AS h", ['{"n":"2022-01-02T00:00:00","d":"2022-01-02","h":"2022-01-01T23:00:00"}']],
      ["SELECT time::bigint AS i, i::timestamp AS t FROM types WHERE host = 'c'", ['{"i":-1,"t":"1970-01-01T00:00:00.000000007"}']],
      ["SELECT arrow_typeof(time) AS t, arrow_typeof(tz(time, 'Europe/Oslo')) AS z FROM home LIMIT 1", ['{"t":"Timestamp(Nanosecond, None)","z":"Timestamp(Nanosecond, Some(\\"Europe/Oslo\\"))"}']],
    ],
  },
  {
    source: "spec query §2.3: intervals",
    cases: [
      ["SELECT time + INTERVAL '1 nanosecond' AS t FROM types WHERE host = 'c'", ['{"t":"1970-01-01T00:00:00"}']],
      ["SELECT '2024-01-31T00:00:00Z'::timestamp + INTERVAL '1 month' AS t", ['{"t":"2024-02-29T00:00:00"}']],
      ["SELECT to_timestamp(1641024000000000001) - INTERVAL '1 year 2 days' AS t", ['{"t":"2020-12-30T08:00:00.000000001"}']],
      ["SELECT INTERVAL '1 month 2 days 3 hours' AS i", ['{"i":"1 mons 2 days 3 hours"}']],
      ["SELECT time - lag(time) OVER (ORDER BY time) AS d FROM home WHERE room = 'Kitchen' ORDER BY time LIMIT 2", ["{}", '{"d":"PT3600S"}']],
      ["SELECT count(*) AS c FROM (SELECT time - lag(time) OVER (PARTITION BY room ORDER BY time) AS d FROM home) t WHERE d >= INTERVAL '1 hour'", ['{"c":24}']],
      ["SELECT max(time) - min(time) AS d FROM home", ['{"d":"PT43200S"}']],
      ["SELECT arrow_typeof(max(time) - min(time)) AS d FROM home", ['{"d":"Duration(Nanosecond)"}']],
    ],
  },
  {
    source: "spec query §2.3: tz and AT TIME ZONE",
    cases: [
      ["SELECT tz(time, 'America/New_York') AS t FROM home ORDER BY time LIMIT 1", ['{"t":"2022-01-01T03:00:00-05:00"}']],
      ["SELECT tz(time) AS t FROM home ORDER BY time LIMIT 1", ['{"t":"2022-01-01T08:00:00Z"}']],
      ["SELECT time AT TIME ZONE 'America/New_York' AS t FROM home ORDER BY time LIMIT 1", ['{"t":"2022-01-01T08:00:00-05:00"}']],
      ["SELECT to_local_time(tz(time, 'America/New_York')) AS t FROM home ORDER BY time LIMIT 1", ['{"t":"2022-01-01T03:00:00"}']],
    ],
  },
  {
    source: "spec query §2.3: interval literals in every spelling DataFusion takes; §1: their text",
    values: [
      ["INTERVAL '10 minutes'", '"10 mins"'], ["INTERVAL '1h'", '"1 hours"'], ["INTERVAL '2 days 1 hour'", '"2 days 1 hours"'], ["INTERVAL '1.5 hours'", '"1 hours 30 mins"'], ["INTERVAL '01:02:03'", '"1 hours 2 mins 3.000000000 secs"'],
      ["INTERVAL '500 milliseconds'", '"0.500000000 secs"'], ["INTERVAL '1 week'", '"7 days"'], ["INTERVAL '1 century'", '"1200 mons"'], ["INTERVAL '-1 day'", '"-1 days"'], ["INTERVAL '5'", '"5.000000000 secs"'],
      ["INTERVAL '10' MINUTE", '"10 mins"'], ["INTERVAL 10 MINUTE", '"10 mins"'], ["INTERVAL '2 days 1 hour 31 minutes'", '"2 days 1 hours 31 mins"'], ["INTERVAL '1 decade'", '"120 mons"'], ["INTERVAL '1 quarter'", '"3 mons"'],
      ["INTERVAL '1 year 2 months'", '"14 mons"'], ["INTERVAL '0.5 months'", '"15 days"'], ["INTERVAL '250 microseconds'", '"0.000250000 secs"'], ["INTERVAL '1 day' + INTERVAL '2 hours'", '"1 days 2 hours"'],
      ["INTERVAL '1 day' * 3", '"3 days"'], ["- INTERVAL '1 day'", '"-1 days"'], ["'1 day'::interval", '"1 days"'], ["arrow_typeof(INTERVAL '1 day')", '"Interval(MonthDayNano)"'],
    ],
    refused: [["SELECT INTERVAL '1 fortnight'", "fortnight"], ["SELECT INTERVAL ''", "Invalid input syntax for type interval"], ["SELECT * FROM home WHERE time > 'yesterday'", "'yesterday'"]],
  },
  {
    source: "spec query §2.3: nanoseconds stay exact, also at the ends of the 64-bit range and before 1970",
    values: [
      ["to_timestamp(9223372036854775807)", '"2262-04-11T23:47:16.854775807"'], ["to_timestamp(-9223372036854775808)", '"1677-09-21T00:12:43.145224192"'], ["to_timestamp(-1) + INTERVAL '1 nanosecond'", '"1970-01-01T00:00:00"'],
      ["date_trunc('second', to_timestamp(-1))", '"1969-12-31T23:59:59"'], ["date_trunc('hour', to_timestamp(9223372036854775807))", '"2262-04-11T23:00:00"'], 
      ["date_bin(INTERVAL '7 nanoseconds', to_timestamp(20))", '"1970-01-01T00:00:00.000000014"'], ["date_bin(INTERVAL '7 nanoseconds', to_timestamp(-20))", '"1969-12-31T23:59:59.999999979"'], ["date_bin(INTERVAL '1 day', to_timestamp(-9223372036854775807), to_timestamp(-9223372036854775807))", '"1677-09-21T00:12:43.145224193"'],
      ["to_timestamp(9223372036854775807) > to_timestamp(9223372036854775806)", "true"], ["'2262-04-11T23:47:16.854775807Z' = to_timestamp(9223372036854775807)", "true"], ["to_timestamp(1) < 2", "true"], ["(to_timestamp(5) - to_timestamp(2))::bigint", "3"],
      ["time + co * INTERVAL '1 nanosecond'", '"2022-01-01T20:00:00.000000026"', "FROM home WHERE co = 26"], ["to_char(to_timestamp(1641024000123456789), '%f %3f %6f')", '"123456789 123 123456"'], ["to_timestamp(1641024000123456789)::string", '"2022-01-01T08:00:00.123456789"'],
      ["max(t)", '"1970-01-01T00:00:00.000000003"', "FROM (VALUES (to_timestamp(1)), (to_timestamp(3)), (to_timestamp(2))) AS v(t)"], ["avg(d)", '"PT3600S"', "FROM (SELECT time - lag(time) OVER (ORDER BY time) AS d FROM home WHERE room = 'Kitchen') AS v"],
      ["'2022-06-01 12:00:00 America/New_York'::timestamp", '"2022-06-01T16:00:00"'], ["tz(to_timestamp(1641024000000000001), 'Asia/Kolkata')", '"2022-01-01T13:30:00.000000001+05:30"'],
    ],
  },
];
