import { describe, expect, it } from "vitest";
import { formatTriggerSpecification, parseTriggerSpecification, pluginTypeOf, triggerSpecificationJson } from "./specification.ts";

describe("parseTriggerSpecification()", () => {
  it.each([
    ["table:cpu", "table:cpu", '{"single_table_wal_write":{"table_name":"cpu"}}', "WalRows"],
    ["  table:table: x ", "table:x", '{"single_table_wal_write":{"table_name":"x"}}', "WalRows"],
    ["all_tables", "all_tables", '"all_tables_wal_write"', "WalRows"],
    ["cron:0 0 * * * *", "cron:0 0 * * * *", '{"schedule":{"schedule":"0 0 * * * *"}}', "Schedule"],
    ["every:60s", "every:1m", '{"every":{"duration":{"secs":60,"nanos":0}}}', "Schedule"],
    ["every:10s", "every:10s", '{"every":{"duration":{"secs":10,"nanos":0}}}', "Schedule"],
    ["request:foo/bar", "request:foo/bar", '{"request_path":{"path":"foo/bar"}}', "Request"],
  ])("reads %j (processing-engine §2)", (text, canonical, json, type) => {
    const specification = parseTriggerSpecification(text);
    expect(formatTriggerSpecification(specification)).toBe(canonical);
    expect(triggerSpecificationJson(specification)).toBe(json);
    expect(pluginTypeOf(specification)).toBe(type);
  });

  it.each([
    ["table:", "failed to parse trigger from table:: table name is empty"],
    ["every:x", "failed to parse trigger from every:x: couldn't parse to duration"],
    ["every:2years", "failed to parse trigger from every:2years: don't support every schedules of over 1 year"],
    ["cron:", "failed to parse trigger from cron:"],
    ["request:", "failed to parse trigger from request:"],
    ["Table:x", "failed to parse trigger from Table:x: expect one of the following forms: 'table:<TABLE_NAME>', 'all_tables', 'cron:<CRON_EXPRESSION>', 'every:<DURATION>', or 'request:<PATH>'"],
  ])("refuses %j with the reference's text", (text, message) => expect(() => parseTriggerSpecification(text)).toThrow(message));

  it.each(["every:0s", "every:0", "every:999us"])("refuses %s, which poisons the reference (§2.2)", (text) =>
    expect(() => parseTriggerSpecification(text)).toThrow(`failed to parse trigger from ${text}: `),
  );
});
