// Goal: whatever bytes a guest hands over, the host's decoder gives a value or a refusal, nothing else, and never reads outside
// the memory. Method: a small memory with mutated messages of every host call and result, lifted as the host does it.
// TIDEMARK_FUZZ_INPUTS sets how many; the seed is printed when it fails.
import { expect, test } from "vitest";
import { isDatabaseError } from "../../src/core/errors/database-error.ts";
import { type AbiType, LiftBudget } from "../../src/adapters/plugin-runtime/canonical-abi.ts";
import { HOST_CALLS, HOST_CALL_NAMES, flatReader } from "../../src/adapters/plugin-runtime/contract.ts";
import { GuestMemory } from "../../src/adapters/plugin-runtime/guest-memory.ts";
import { answerHostCall } from "../../src/adapters/plugin-runtime/host-calls.ts";
import { liftRunResult } from "../../src/adapters/plugin-runtime/outcome.ts";
import { packHostCall, packResult } from "../../src/adapters/plugin-runtime/message-memory.ts";
import { HostCallError } from "../../src/ports/plugin-runtime.ts";
import { RecordingHost } from "./fixture.ts";

const INPUTS = Number(process.env["TIDEMARK_FUZZ_INPUTS"] ?? 60_000);
const SEED = Number(process.env["TIDEMARK_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const MEMORY_BYTES = 65_536;
const LIMITS = { writeBytes: 4_096, responseBytes: 4_096 };

/** xorshift32: fast and repeatable. */
function generator(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const EDGES = [0, 1, 2, 4, 7, 8, 16, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32 - 8];

test(`${INPUTS} mutated messages give values or refusals (seed ${SEED})`, { timeout: 60_000 + INPUTS }, async () => {
  // Most inputs throw: noting where costs more than the decoder.
  Error.stackTraceLimit = 0;
  const next = generator(SEED);
  const wasm = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const memory = new GuestMemory(wasm);
  const words = new Uint32Array(wasm.buffer);
  const bytes = new Uint8Array(wasm.buffer);
  const host = new RecordingHost();
  const counts = { values: 0, refusals: 0, faults: 0 };
  const anyNumber = (): number => (next(3) === 0 ? (EDGES[next(EDGES.length)] as number) : next(4) === 0 ? next(2 ** 32) : next(MEMORY_BYTES));
  for (let index = 0; index < words.length; index += 1) words[index] = next(2) === 0 ? next(MEMORY_BYTES) : next(64);
  const checked = (lift: () => unknown): void => {
    try {
      lift();
      counts.values += 1;
    } catch (error) {
      if (!(error instanceof HostCallError) && !(isDatabaseError(error) && error.code === "plugin.message_invalid")) throw error;
      counts.refusals += 1;
    }
  };
  for (let input = 0; input < INPUTS; input += 1) {
    for (let change = 0; change < 4; change += 1) {
      if (next(2) === 0) words[next(words.length)] = anyNumber();
      else bytes[next(MEMORY_BYTES)] = next(256);
    }
    const operation = next(HOST_CALL_NAMES.length + 2);
    const name = HOST_CALL_NAMES[operation];
    if (name === undefined) {
      const ofRequest = next(2) === 0;
      const returned = next(8) === 0 ? anyNumber() : next(MEMORY_BYTES / 4) * 4;
      checked(() => (next(4) === 0 ? packResult(ofRequest, returned, memory) : liftRunResult(memory, { ofRequest, returned, limits: LIMITS })));
      continue;
    }
    const parameters = HOST_CALLS[name].parameters as AbiType<unknown>;
    const slots = parameters.flat.map((kind) => (kind === "f64" ? (next(4) === 0 ? Number.NaN : next(100)) : next(3) === 0 ? next(2) : anyNumber()));
    if (next(16) === 0) slots.pop();
    if (next(8) === 0) checked(() => packHostCall(operation, slots, memory));
    else if (next(16) === 0) {
      const answer = await answerHostCall({ name, slots, memory, host }, () => (counts.faults += 1));
      expect(answer.bytes?.length ?? 0).toBeLessThanOrEqual(MEMORY_BYTES);
      counts.values += 1;
    } else checked(() => parameters.lift({ memory, budget: new LiftBudget(MEMORY_BYTES, 1_000) }, flatReader(slots)));
    if (host.logged.length > 1_000) host.logged.length = 0;
    if (host.cache.size > 100) host.cache.clear();
  }
  // The host of this test has no queries: those that could be read fail as a fault, which the guest is told in general words.
  expect(counts.values).toBeGreaterThan(INPUTS / 100);
  expect(counts.refusals).toBeGreaterThan(INPUTS / 10);
});
