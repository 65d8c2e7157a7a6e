/** Functions and types. */
import type { CaseGroup } from "../case-table.ts";

export const FUNCTION_CASES: readonly CaseGroup[] = [
  {
    source: "spec query §2.4: selectors",
    values: [
      ["selector_first(temp, time)['value']", "21.0", "FROM home WHERE room = 'Kitchen'"],
      ["selector_first(temp, time)['time']", '"2022-01-01T08:00:00"', "FROM home WHERE room = 'Kitchen'"],
      ["selector_last(temp, time)", '{"value":22.2,"time":"2022-01-01T20:00:00"}', "FROM home WHERE room = 'Living Room'"],
      // IDB: the maximum temperature of the sample.
      ["selector_max(temp, time)", '{"value":23.3,"time":"2022-01-01T18:00:00"}', "FROM home"],
      ["selector_min(temp, time)", '{"value":21.0,"time":"2022-01-01T08:00:00"}', "FROM home"],
      // Equal values: the smallest time.
      ["selector_max(hum, time)['time']", '"2022-01-01T08:00:00"', "FROM home WHERE hum = 35.9"],
      ["selector_min(co, time)['time']", '"2022-01-01T08:00:00"', "FROM home"],
      ["selector_last(s, time)['value']", '"short, \\"quoted\\""', "FROM types"],
      ["selector_first(b, time)", '{"value":true,"time":"2022-01-01T08:00:00.000000001"}', "FROM types"],
      ["selector_max(u, time)['value']", "18446744073709551615", "FROM types"],
      ["get_field(selector_max(temp, time), 'value')", "23.3", "FROM home"],
      ["selector_last(temp, time)['value']", "NULL", "FROM home WHERE false"],
    ],
  },
  {
    source: "spec query §2.4; DataFusion documentation: aggregate functions",
    values: [
      ["sum(co)", "137", "FROM home"],
      ["arrow_typeof(sum(co))", '"Int64"', "FROM home"],
      ["arrow_typeof(sum(u))", '"UInt64"', "FROM types"],
      ["arrow_typeof(count(*))", '"Int64"', "FROM home"],
      ["arrow_typeof(avg(co))", '"Float64"', "FROM home"],
      ["median(temp)", "22.45", "FROM home"],
      ["approx_median(co)", "1", "FROM home"],
      ["approx_percentile_cont(temp, 0.5)", "22.7", "FROM home WHERE room = 'Kitchen'"],
      ["percentile_cont(0.5) WITHIN GROUP (ORDER BY temp)", "22.45", "FROM home"],
      ["approx_distinct(room)", "2", "FROM home"],
      ["var_pop(x)", "1.25", "FROM VALUES (1.0), (2.0), (3.0), (4.0) t(x)"],
      ["stddev_pop(x)", "2.0", "FROM VALUES (2), (4), (4), (4), (5), (5), (7), (9) t(x)"],
      ["corr(x, y)", "1.0", "FROM VALUES (1, 2), (2, 4), (3, 6) t(x, y)"],
      ["covar_pop(x, y)", "1.3333333333333333", "FROM VALUES (1, 2), (2, 4), (3, 6) t(x, y)"],
      ["regr_slope(y, x)", "2.0", "FROM VALUES (1, 2), (2, 4), (3, 6) t(x, y)"],
      ["array_agg(co ORDER BY time DESC)", "[26,22]", "FROM home WHERE co > 20"],
      ["string_agg(room, '/')", '"Kitchen/Kitchen"', "FROM home WHERE co > 20"],
      ["bool_and(co >= 0)", "true", "FROM home"],
      ["bit_or(x)", "7", "FROM VALUES (1), (2), (4) t(x)"],
      ["first_value(temp ORDER BY time)", "21.0", "FROM home WHERE room = 'Kitchen'"],
      ["last_value(temp ORDER BY time)", "22.7", "FROM home WHERE room = 'Kitchen'"],
      ["nth_value(co, 2 ORDER BY co DESC)", "22", "FROM home"],
      ["min(room)", '"Kitchen"', "FROM home"],
    ],
  },
  {
    source: "DataFusion documentation: operators, math functions",
    values: [
      ["7 / 2", "3"], ["-7 / 2", "-3"], ["7 % -3", "1"], ["7 / 2.0", "3.5"], ["1.0 / 0", "null"], ["2 * 3 + 1", "7"], ["- 9223372036854775808", "-9223372036854775808"],
      ["18446744073709551615", "18446744073709551615"], ["1e3", "1000.0"], ["abs(-3)", "3"], ["round(3.14159, 2)", "3.14"], ["round(-2.5)", "-3.0"], ["trunc(2.9)", "2.0"],
      ["ceil(1.2)", "2.0"], ["floor(-1.2)", "-2.0"], ["power(2, 10)", "1024"], ["power(2.0, 0.5)", "1.4142135623730951"], ["sqrt(16)", "4.0"], ["sqrt(-1)", "null"],
      ["log(100)", "2.0"], ["log(2, 8)", "3.0"], ["ln(1)", "0.0"], ["log2(8)", "3.0"], ["signum(-2.5)", "-1.0"], ["isnan(sqrt(-1.0))", "true"], ["nanvl(sqrt(-1), 5.0)", "5.0"],
      ["greatest(1, 2.5)", "2.5"], ["least(3, 2)", "2"], ["gcd(48, 18)", "6"], ["5 & 3", "1"], ["5 | 3", "7"], ["5 # 3", "6"], ["22.9::bigint", "22"], ["'5'::int", "5"], ["true::int", "1"],
      ["arrow_cast(2.7, 'Int32')", "2"], ["arrow_typeof(arrow_cast(2.7, 'Int32'))", '"Int32"'], ["cast(1.005 AS decimal(10, 2))", "1.00"], ["TRY_CAST('x' AS int)", "NULL"],
      ["u", "18446744073709551615", "FROM types WHERE host = 'a'"], ["i", "9223372036854775807", "FROM types WHERE host = 'a'"], ["nullif(1, 1)", "NULL"], ["coalesce(NULL, 2)", "2"],
      ["nvl2(NULL, 1, 2)", "2"], ["arrow_typeof(1 + 1.0)", '"Float64"'], ["arrow_typeof(1)", '"Int64"'], ["arrow_typeof(1.5)", '"Float64"'],
    ],
  },
  {
    source: "DataFusion documentation: string and regular expression functions",
    values: [
      ["upper('aé')", '"AÉ"'], ["initcap('hello wORLD')", '"Hello World"'], ["length('aé')", "2"], ["octet_length('aé')", "3"], ["reverse('abc')", '"cba"'],
      ["'a' || 1 || true", '"a1true"'], ["concat('a', NULL, 1)", '"a1"'], ["concat_ws('-', 'a', NULL, 'b')", '"a-b"'], ["substr('hello', 2, 3)", '"ell"'],
      ["substring('hello' FROM 2 FOR 3)", '"ell"'], ["left('hello', 2)", '"he"'], ["right('hello', 2)", '"lo"'], ["strpos('abc', 'c')", "3"], ["position('c' IN 'abc')", "3"],
      ["replace('abc', 'b', 'x')", '"axc"'], ["translate('abc', 'ab', 'xy')", '"xyc"'], ["split_part('1.2.3', '.', 2)", '"2"'], ["lpad('x', 3, 'ab')", '"abx"'], ["rpad('x', 3, 'ab')", '"xab"'],
      ["btrim('  a ')", '"a"'], ["trim(BOTH 'x' FROM 'xax')", '"a"'], ["ltrim('xxa', 'x')", '"a"'], ["repeat('ab', 2)", '"abab"'], ["starts_with('abc', 'ab')", "true"],
      ["to_hex(255)", '"ff"'], ["chr(65)", '"A"'], ["ascii('A')", "65"], ["levenshtein('kitten', 'sitting')", "3"], ["find_in_set('b', 'a,b')", "2"],
      ["md5('a')", '"0cc175b9c0f1b6a831c399e269772661"'], ["'it''s'", '"it\'s"'], ["'a\\b'", '"a\\\\b"'], ["'100%' LIKE '100\\%'", "true"], ["'100x' LIKE '100\\%'", "false"], ["'a_b' LIKE 'a#_b' ESCAPE '#'", "true"],
      // DF
      ["regexp_like('Köln', '[a-zA-Z]ö[a-zA-Z]{2}')", "true"], ["regexp_like('aBc', '(b|d)', 'i')", "true"],
      // DF
      ["regexp_replace('foobarbaz', 'b(..)', 'X${1}Y', 'g')", '"fooXarYXazY"'], ["regexp_match('foobar', 'o(b)a')", '["b"]'], ["regexp_match('abc', 'x')", "NULL"], ["regexp_count('abcabc', 'a')", "2"],
      ["'Kitchen' ~ 'itch'", "true"], ["'Kitchen' ~* '^KIT'", "true"], ["'Kitchen' !~ '^kit'", "true"],
      ["[1, 2, 3]", "[1,2,3]"], ["make_array('a', 'b')[2]", '"b"'], ["array_to_string(make_array('a', 'b'), '-')", '"a-b"'], ["1.5::varchar", '"1.5"'], ["time::varchar", '"2022-01-01T08:00:00"', "FROM home ORDER BY time LIMIT 1"],
    ],
  },
  {
    source: "spec issue list: division by zero is an error where DataFusion raises one (integers), an infinity for floats",
    values: [["CAST(NULL AS bigint) / 0", "NULL"], ["isnan(0.0 / 0)", "true"], ["1.0 / 0 > 1e308", "true"]],
    refused: [["SELECT 1 / 0", "Divide by zero error"], ["SELECT co / 0 FROM home", "Divide by zero error"], ["SELECT co % (co - co) FROM home", "Divide by zero error"]],
  },
];
