/**
 * A guest's values on their way between processes: lifted from its memory with the bounds of the ABI, and lowered by the same
 * ABI into a message of their own. Who receives the message lifts it as it would lift the guest's memory, and trusts it as
 * little.
 */
import { HostCallError } from "../../ports/plugin-runtime.ts";
import { type AbiType, type FlatValue, LiftBudget, type LowerContext } from "./canonical-abi.ts";
import { GUEST_EXPORTS, HOST_CALLS, HOST_CALL_NAMES, flatReader, type FunctionType, liftResult } from "./contract.ts";
import { type GuestMemory, GuestMemory as Memory } from "./guest-memory.ts";
import { HOST_CALL_BUDGETS } from "./host-call-budgets.ts";
import { MESSAGE_BYTES_MAX } from "./limits.ts";

export interface GuestMessage {
  readonly slots: readonly number[];
  readonly bytes: Uint8Array;
}

/** Address 0 means nothing in some eyes: the first bytes stay unused. */
const START = 16;

/** A buffer that grows, with an allocator that only goes forward. */
class MessageBuilder {
  buffer = new ArrayBuffer(1024);
  #end = START;
  readonly to: LowerContext;

  constructor() {
    const builder = this;
    const memory = new Memory({
      get buffer() {
        return builder.buffer;
      },
      grow: () => 0,
    });
    this.to = { memory, allocate: (size, align) => this.#allocate(size, align) };
  }

  #allocate(size: number, align: number): number {
    const at = Math.ceil(this.#end / align) * align;
    this.#end = at + size;
    if (this.#end > MESSAGE_BYTES_MAX) throw new HostCallError("limit", `a message of ${this.#end} bytes is larger than ${MESSAGE_BYTES_MAX}`);
    if (this.#end > this.buffer.byteLength) {
      const larger = new ArrayBuffer(Math.max(this.#end, 2 * this.buffer.byteLength));
      new Uint8Array(larger).set(new Uint8Array(this.buffer));
      this.buffer = larger;
    }
    return at;
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.buffer, 0, this.#end);
  }
}

/** Throws `plugin.message_invalid`, or `HostCallError` kind `limit`. */
export function packHostCall(operation: number, slots: readonly number[], memory: GuestMemory): GuestMessage {
  const name = HOST_CALL_NAMES[operation];
  if (name === undefined) return { slots, bytes: new Uint8Array(0) };
  const parameters = HOST_CALLS[name].parameters as AbiType<unknown>;
  const values = parameters.lift({ memory, budget: HOST_CALL_BUDGETS[name]() }, flatReader(slots));
  const builder = new MessageBuilder();
  const flat: FlatValue[] = [];
  parameters.lower(builder.to, values, flat);
  return { slots: flat.map(Number), bytes: builder.bytes() };
}

/** What an export answered, as `liftRunResult` reads it. */
export function packResult(ofRequest: boolean, returned: number, memory: GuestMemory): GuestMessage {
  const type = GUEST_EXPORTS[ofRequest ? "process-request" : "process-writes"] as FunctionType<unknown, unknown>;
  const values = liftResult(type, { memory, budget: new LiftBudget() }, returned);
  const builder = new MessageBuilder();
  const pointer = builder.to.allocate(type.result.size, type.result.align);
  type.result.store(builder.to, pointer, values);
  return { slots: [ofRequest ? 1 : 0, pointer], bytes: builder.bytes() };
}

/** The message as the memory that its addresses mean. */
export function openMessage(bytes: Uint8Array<ArrayBuffer>): GuestMemory {
  const buffer = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
  return new Memory({ buffer, grow: () => 0 });
}
