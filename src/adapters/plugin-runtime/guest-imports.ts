/** The host calls as the guest imports them: each blocks the executor's thread on the mailbox until it is answered. */
import type { FlatValue, LowerContext } from "./canonical-abi.ts";
import { ERROR_KINDS, HOST_CALLS, HOST_CALL_NAMES, type HostCallName } from "./contract.ts";
import { OPERATION, REPLY } from "./control-block.ts";
import { guestFault } from "./guest-memory.ts";
import { INLINE_REPLY_BYTES_MAX } from "./limits.ts";
import type { GuestLink, Reply } from "./mailbox.ts";
import type { Result } from "./canonical-variants.ts";

type HostError = { kind: (typeof ERROR_KINDS)[number]; message: string };
type AnyResult = Result<unknown, HostError>;

/** The functions of the interface `host`. `lower` is asked for at each call: it exists only after instantiation. */
export function hostImports(mailbox: GuestLink, lower: () => LowerContext): WebAssembly.ModuleImports {
  const imports: WebAssembly.ModuleImports = { poll: () => (mailbox.poll() ? 1 : 0) };
  HOST_CALL_NAMES.forEach((name, operation) => {
    imports[name] = (...flat: FlatValue[]): void => {
      mailbox.checkHardStop();
      const slots = flat.map(Number);
      const target = (slots.pop() ?? 0) >>> 0;
      const reply = mailbox.call(operation, slots);
      mailbox.checkHardStop();
      storeReply({ name, reply, target, mailbox, lower: lower() });
    };
  });
  return imports;
}

interface Delivery {
  readonly name: HostCallName;
  readonly reply: Reply;
  readonly target: number;
  readonly mailbox: GuestLink;
  readonly lower: LowerContext;
}

function storeReply(delivery: Delivery): void {
  const { name, reply, target, lower } = delivery;
  // The table cannot relate a name to its reply's type; the reply's kind was chosen for this very name.
  const result = HOST_CALLS[name].result as unknown as { store(to: LowerContext, pointer: number, value: AnyResult): void };
  if (reply.kind !== REPLY.bytes || reply.byteLength <= INLINE_REPLY_BYTES_MAX) {
    result.store(lower, target, inlineResult(delivery));
    return;
  }
  const pointer = allocateOrNone(lower, reply.byteLength);
  if (pointer === undefined) {
    const message = `the answer of ${reply.byteLength} bytes does not fit into the plugin's memory`;
    result.store(lower, target, { tag: "err", val: { kind: "limit", message } });
    return;
  }
  const filled = delivery.mailbox.call(OPERATION.fill, [pointer]);
  if (filled.kind !== REPLY.none) throw guestFault(`Guest gave the address ${pointer}, which cannot be filled`);
  result.store({ ...lower, placed: [pointer, reply.byteLength] }, target, { tag: "ok", val: new Uint8Array(0) });
}

function inlineResult({ reply, mailbox }: Delivery): AnyResult {
  switch (reply.kind) {
    case REPLY.bytes:
      return { tag: "ok", val: mailbox.payload(reply.byteLength) };
    case REPLY.yes:
    case REPLY.no:
      return { tag: "ok", val: reply.kind === REPLY.yes };
    case REPLY.number:
      return { tag: "ok", val: new DataView(mailbox.payload(reply.byteLength).buffer).getUint32(0, true) };
    case REPLY.error: {
      const payload = mailbox.payload(reply.byteLength);
      const kind = ERROR_KINDS[payload[0] ?? -1] ?? "internal";
      return { tag: "err", val: { kind, message: new TextDecoder().decode(payload.subarray(1)) } };
    }
    default:
      return { tag: "ok", val: undefined };
  }
}

/** The guest's allocator traps when there is no room; nothing of it changes then and its callers reset its stack. */
function allocateOrNone(lower: LowerContext, size: number): number | undefined {
  try {
    return lower.allocate(size, 1);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return undefined;
    throw error;
  }
}
