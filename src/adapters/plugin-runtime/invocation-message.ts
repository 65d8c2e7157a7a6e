/** Turns an `Invocation` of the port into what an executor lowers: bulk bytes are packed into one shared buffer. */
import type { Invocation, NamedText, PluginCode } from "../../ports/plugin-runtime.ts";
import type { BulkBuffers } from "./bulk-buffers.ts";
import type { RunContext } from "./contract.ts";
import type { BulkSlice, GuestEvent, PackedEvent, PackedFiles } from "./executor-protocol.ts";

interface GuestNamedText {
  name: string;
  value: string;
}

const named = (texts: readonly NamedText[]): GuestNamedText[] => texts.map(([name, value]) => ({ name, value }));

export function guestContext(invocation: Invocation): RunContext {
  const { code } = invocation;
  return {
    plugin: { fileName: code.fileName, source: code.source, module: code.module, revision: code.revision },
    arguments: invocation.arguments === undefined ? undefined : named(invocation.arguments),
    sparseRows: invocation.sparseRows,
  };
}

/** `buffers`: where its memory comes from, and goes back to after the run; without them it is exactly as long as needed. */
export function packEvent({ event }: Invocation, buffers?: BulkBuffers): PackedEvent {
  switch (event.kind) {
    case "schedule":
      return { kind: "schedule", callTimeSeconds: event.callTimeSeconds };
    case "request": {
      const { bulk, slices } = packed([event.body], buffers);
      return { kind: "request", bulk, request: { query: named(event.query), headers: named(event.headers) }, body: slices[0] ?? [0, 0] };
    }
    case "writes": {
      const { bulk, slices } = packed(event.tables.flatMap((table) => table.batches), buffers);
      let next = 0;
      const tables = event.tables.map((table) => ({
        tableName: table.tableName,
        columns: table.columns,
        batches: slices.slice(next, (next += table.batches.length)),
      }));
      return { kind: "writes", bulk, tables };
    }
  }
}

/** The executor's end of `packEvent`: views into the shared buffer. */
export function openEvent(event: PackedEvent): GuestEvent {
  if (event.kind === "schedule") return event;
  const view = ([offset, byteLength]: BulkSlice): Uint8Array => new Uint8Array(event.bulk, offset, byteLength);
  if (event.kind === "request") return { kind: "request", request: { ...event.request, body: view(event.body) } };
  const tables = event.tables.map(({ tableName, columns, batches }) => ({ tableName, columns: [...columns], batches: batches.map(view) }));
  return { kind: "writes", tables };
}

interface Packed {
  readonly bulk: SharedArrayBuffer;
  readonly slices: readonly BulkSlice[];
}

function packed(sources: readonly Uint8Array[], buffers?: BulkBuffers): Packed {
  const size = sources.reduce((sum, source) => sum + source.length, 0);
  const bulk = buffers === undefined ? new SharedArrayBuffer(size) : buffers.take(size);
  const target = new Uint8Array(bulk);
  let at = 0;
  const slices = sources.map((source): BulkSlice => {
    target.set(source, at);
    at += source.length;
    return [at - source.length, source.length];
  });
  return { bulk, slices };
}

/** Packs a directory plugin's files once per revision. */
export class FilePacker {
  #files: PluginCode["files"] | undefined;
  #revision: bigint | undefined;
  #packed: PackedFiles | undefined;

  pack(code: PluginCode): PackedFiles | undefined {
    if (code.files.size === 0) return undefined;
    if (this.#packed !== undefined && this.#revision === code.revision && this.#files === code.files) return this.#packed;
    const { bulk, slices } = packed([...code.files.values()]);
    const entries = [...code.files.keys()].map((path, index) => [path, ...(slices[index] as BulkSlice)] as const);
    // Any time that changes with the revision serves; Python compares it only for equality.
    this.#packed = { buffer: bulk, entries, modifiedNs: BigInt.asUintN(32, code.revision) * 1_000_000_000n };
    this.#revision = code.revision;
    this.#files = code.files;
    return this.#packed;
  }
}
