// The pipe protocol against the mailbox: what the host lifts from a message is what it lifts from the guest's memory, and what
// it may not lift there never becomes a message.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AbiType, type FlatValue, LiftBudget } from "./canonical-abi.ts";
import { GUEST_EXPORTS, HOST_CALLS, HOST_CALL_NAMES, type HostCallName, flatReader, liftResult } from "./contract.ts";
import { GuestMemory } from "./guest-memory.ts";
import { openMessage, packHostCall, packResult } from "./message-memory.ts";

const text = fc.string({ maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 60 });
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });
const named = fc.array(fc.record({ name: text, value: text }), { maxLength: 4 });

const connection = fc.nat(4_294_967_295);
const port = fc.nat(65_535);
const wait = optional(fc.double({ noNaN: true }));
const VALUES: Readonly<Record<HostCallName, fc.Arbitrary<unknown>>> = {
  log: fc.record({ level: fc.constantFrom("info", "warn", "error"), text }),
  query: fc.record({ sql: text, arguments: named, database: optional(text) }),
  "write-sync": fc.record({ database: optional(text), lines: text, noSync: fc.boolean() }),
  "global-cache-put": fc.record({ key: text, value: bytes, ttl: optional(fc.double({ noNaN: true })) }),
  "global-cache-get": fc.record({ key: text }),
  "global-cache-delete": fc.record({ key: text }),
  "check-grant": fc.record({ grant: fc.constantFrom("net", "env", "scratch", "sys", "db"), subject: text }),
  exceeded: fc.record({ limit: fc.constantFrom("write-bytes", "response-bytes", "cache-bytes") }),
  "system-metrics": fc.record({ group: text }),
  "net-resolve": fc.record({ host: text, port }),
  "net-open": fc.record({ address: text, port }),
  "net-open-tls": fc.record({ settings: bytes }),
  "net-start-tls": fc.record({ connection, settings: bytes }),
  "net-send": fc.record({ connection, data: bytes, wait }),
  "net-receive": fc.record({ connection, bytesMax: connection, wait }),
  "net-wait": fc.record({ interests: bytes, wait }),
  "net-describe": fc.record({ connection }),
  "net-close": fc.record({ connection, direction: fc.constantFrom("write", "all") }),
  "net-feed": fc.record({ connection, data: bytes }),
  "net-drain": fc.record({ connection }),
};

class Guest {
  readonly memory = new GuestMemory(new WebAssembly.Memory({ initial: 1, maximum: 1 }));
  #end = 64;
  readonly to = {
    memory: this.memory,
    allocate: (size: number, align: number): number => {
      const at = Math.ceil(this.#end / align) * align;
      this.#end = at + size;
      return at;
    },
  };
}

describe("a message between processes", () => {
  test.each(HOST_CALL_NAMES)("carries the parameters of %s as the guest's memory does", (name) => {
    fc.assert(
      fc.property(VALUES[name], (value) => {
        const guest = new Guest();
        const type = HOST_CALLS[name].parameters as AbiType<unknown>;
        const flat: FlatValue[] = [];
        type.lower(guest.to, value, flat);
        const slots = flat.map(Number);
        const message = packHostCall(HOST_CALL_NAMES.indexOf(name), slots, guest.memory);
        const here = type.lift({ memory: guest.memory, budget: new LiftBudget() }, flatReader(slots));
        const there = type.lift({ memory: openMessage(message.bytes.slice()), budget: new LiftBudget() }, flatReader(message.slots));
        expect(there).toEqual(here);
        expect(here).toEqual(value);
      }),
    );
  });

  test("carries results, of both shapes, successes and failures", () => {
    const write = fc.record({ database: optional(text), lines: text });
    const failure = fc.record({ typeName: text, message: text, traceback: text, outOfMemory: fc.boolean(), interrupted: fc.boolean(), inEntryPoint: fc.boolean() });
    const response = fc.record({ status: fc.nat(65_535), headers: named, body: bytes });
    const result = (ok: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
      fc.oneof(ok.map((val) => ({ tag: "ok", val })), failure.map((val) => ({ tag: "err", val })));
    const cases = [[false, result(fc.array(write, { maxLength: 3 }))], [true, result(fc.tuple(response, fc.array(write, { maxLength: 3 })))]] as const;
    for (const [ofRequest, values] of cases) {
      const type = GUEST_EXPORTS[ofRequest ? "process-request" : "process-writes"] as { parameters: AbiType<unknown>; result: AbiType<unknown> };
      fc.assert(
        fc.property(values, (value) => {
          const guest = new Guest();
          const pointer = guest.to.allocate(type.result.size, type.result.align);
          type.result.store(guest.to, pointer, value);
          const message = packResult(ofRequest, pointer, guest.memory);
          expect(liftResult(type, { memory: openMessage(message.bytes.slice()), budget: new LiftBudget() }, message.slots[1])).toEqual(value);
        }),
      );
    }
  });

  test("is not made of what lies outside the guest's memory", () => {
    const { memory } = new Guest();
    expect(() => packHostCall(HOST_CALL_NAMES.indexOf("global-cache-get"), [65_530, 100], memory)).toThrow(/outside its memory/);
    expect(() => packResult(true, 65_534, memory)).toThrow(/not aligned|outside/);
  });
});
