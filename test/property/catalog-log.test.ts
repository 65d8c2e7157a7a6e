// Goal: replaying the log, or a checkpoint and the log after it, gives exactly the live state; damaged bytes give a value
// or a DatabaseError. Method: random changes through the plans.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeCatalogObject, encodeCatalogObject } from "../../src/core/catalog/codec.ts";
import { DEFAULT_CATALOG_LIMITS as LIMITS } from "../../src/core/catalog/limits.ts";
import { applyRecord, type CatalogOp } from "../../src/core/catalog/ops.ts";
import * as plan from "../../src/core/catalog/plan.ts";
import * as deletion from "../../src/core/catalog/plan-deletion.ts";
import { planCreateDistinctCache, planCreateLastCache, planDeleteCache } from "../../src/core/catalog/plan-caches.ts";
import { EMPTY_CATALOG, type CatalogState } from "../../src/core/catalog/state.ts";
import { isDatabaseError } from "../../src/core/errors/database-error.ts";

const UUID = "0123456789abcdef0123456789abcdef";
const name = fc.constantFrom("a", "b", "c", "d-1");
const trigger = (text: string): Parameters<typeof plan.planCreateTrigger>[3] => ({
  name: text, pluginFileName: "p.py", specification: "all_tables", arguments: undefined, runAsync: true, errorBehavior: "retry", disabled: text === "b",
  ...(text === "c" ? { limits: { memory: 67_108_864 }, grants: { db: ["*"], env: [], sys: ["cpu"] } } : {}),
});

const NOW = 1_767_225_600_000_000_000n;
const erase: fc.Arbitrary<deletion.EraseTime> = fc.record({ atNs: fc.constantFrom(undefined, NOW, NOW + 9n), isExplicit: fc.boolean() });
const pickOf = (names: Iterable<string>, index: number): string => {
  const all = [...names];
  return all[index % Math.max(1, all.length)] ?? "none";
};

type Change = (state: CatalogState) => readonly CatalogOp[];
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(name, fc.option(fc.bigInt({ min: 0n, max: 2n ** 62n }), { nil: undefined })).map(([db, retention]): Change => (state) => plan.planCreateDatabase(state, LIMITS, db, retention)),
  fc.tuple(name, erase).map(([db, when]): Change => (state) => deletion.planDeleteDatabase(state, db, NOW, when)),
  fc.tuple(fc.nat(9), erase).map(([pick, when]): Change => (state) => deletion.planDeleteDatabase(state, pickOf(state.deletedDatabases.keys(), pick), NOW, when)),
  fc.constant<Change>((state) => deletion.dueErasures(state, NOW).map(({ databaseId, tableId }): CatalogOp => ({ kind: "mark-erased", databaseId, ...(tableId === undefined ? {} : { tableId }), erasedAtNs: NOW }))),
  fc.constant<Change>((state) => deletion.planForget(state, NOW, 0n)),
  fc.tuple(name, name, fc.option(fc.bigInt({ min: 0n, max: 9n }), { nil: undefined })).map(([db, table, retention]): Change => (state) => plan.planSetTableRetention(state, db, table, retention)),
  fc.tuple(name, fc.option(fc.bigInt({ min: 0n, max: 9n }), { nil: undefined })).map(([db, retention]): Change => (state) => plan.planSetRetention(state, db, retention)),
  fc.tuple(name, name, name, name).map(([db, table, tag, field]): Change => (state) => plan.planCreateTable(state, LIMITS, db, { table, tags: [tag], fields: [{ name: `${field}f`, type: "int64" }] })),
  fc.tuple(name, name, erase).map(([db, table, when]): Change => (state) => deletion.planDeleteTable(state, db, table, NOW, when)),
  fc.tuple(name, fc.nat(9), erase).map(([db, pick, when]): Change => (state) => deletion.planDeleteTable(state, db, pickOf(state.databases.get(db)?.deletedTables.keys() ?? [], pick), NOW, when)),
  fc.tuple(name, name).map(([db, text]): Change => (state) => plan.planCreateTrigger(state, LIMITS, db, trigger(text))),
  fc.tuple(name, name, fc.boolean()).map(([db, text, force]): Change => (state) => plan.planDeleteTrigger(state, db, text, force)),
  fc.tuple(name, name, fc.boolean()).map(([db, text, disabled]): Change => (state) => plan.planSetTriggerDisabled(state, db, text, disabled)),
  fc.tuple(name, name, fc.option(name, { nil: undefined })).map(([database, table, key]): Change => (state) => planCreateLastCache(state, { database, table, keyColumns: key === undefined ? undefined : [key], count: 2 })),
  fc.tuple(name, name, name).map(([database, table, key]): Change => (state) => planCreateDistinctCache(state, { database, table, columns: [key], name: "x" })),
  fc.tuple(name, name, name).map(([database, table, key]): Change => (state) => planDeleteCache(state, "last", { database, table, name: `${table}_${key}_last_cache` })),
  fc.tuple(name, name, fc.integer({ min: 1, max: 1000 }), fc.boolean()).map(([db, text, count, net]): Change => (state) =>
    plan.planUpdateTrigger(state, db, text, { limits: { queries: count }, grants: net ? { net: ["self", "[::1]:80"], scratch: count } : {} }),
  ),
);

function attempt(state: CatalogState, make: Change): readonly CatalogOp[] {
  try {
    return make(state);
  } catch (error) {
    if (!isDatabaseError(error) || error.code === "internal.invariant") throw error;
    return [];
  }
}

describe("the catalog log", () => {
  it("replays to the live state from any checkpoint", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.nat(), (changes, pick) => {
        const records: Uint8Array[] = [];
        const states = [EMPTY_CATALOG];
        for (const make of changes) {
          const state = states.at(-1) as CatalogState;
          const ops = attempt(state, make);
          if (ops.length === 0) continue;
          records.push(encodeCatalogObject({ uuid: UUID, writer: UUID, sequence: state.sequence + 1, content: { kind: "record", ops } }));
          states.push(applyRecord(state, state.sequence + 1, ops));
        }
        const at = pick % states.length;
        const checkpoint = decodeCatalogObject(encodeCatalogObject({ uuid: UUID, writer: UUID, sequence: at, content: { kind: "checkpoint", state: states[at] as CatalogState } }));
        let state = checkpoint.content.kind === "checkpoint" ? checkpoint.content.state : EMPTY_CATALOG;
        expect(state).toEqual(states[at]);
        for (const bytes of records.slice(at)) {
          const object = decodeCatalogObject(bytes);
          expect(object.uuid).toBe(UUID);
          state = applyRecord(state, object.sequence, object.content.kind === "record" ? object.content.ops : []);
        }
        expect(state).toEqual(states.at(-1));
      }),
    );
  });

  it("answers damaged bytes with a value or a DatabaseError", () => {
    const sample = encodeCatalogObject({ uuid: UUID, writer: UUID, sequence: 1, content: { kind: "record", ops: [{ kind: "create-database", id: 1, name: "a", retentionNs: 5n }] } });
    const attemptDecode = (bytes: Uint8Array): void => {
      try {
        decodeCatalogObject(bytes);
      } catch (error) {
        if (!isDatabaseError(error)) throw error;
      }
    };
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(sample.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), fc.nat(sample.length), (damage, size) => {
        const bytes = sample.slice();
        for (const [at, value] of damage) bytes[at] = value;
        attemptDecode(bytes);
        attemptDecode(bytes.subarray(0, size));
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attemptDecode));
  });
});
