/** Turns an `Invocation` of the port into what an executor lowers: bulk bytes are packed into one shared buffer. */
import type { Invocation, NamedText, PluginCode } from "../../ports/plugin-runtime.ts";
import type { RunContext } from "./contract.ts";
import type { GuestEvent, PackedFiles } from "./executor-protocol.ts";

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

export function guestEvent({ event }: Invocation): GuestEvent {
  switch (event.kind) {
    case "schedule":
      return { kind: "schedule", callTimeSeconds: event.callTimeSeconds };
    case "request": {
      const [body] = packed([event.body]).parts;
      return { kind: "request", request: { query: named(event.query), headers: named(event.headers), body: body ?? new Uint8Array(0) } };
    }
    case "writes": {
      const { parts } = packed(event.tables.flatMap((table) => table.batches));
      let next = 0;
      const tables = event.tables.map((table) => ({
        tableName: table.tableName,
        columns: [...table.columns],
        batches: parts.slice(next, (next += table.batches.length)),
      }));
      return { kind: "writes", tables };
    }
  }
}

interface Packed {
  readonly buffer: SharedArrayBuffer;
  readonly parts: Uint8Array[];
}

/** Shared buffers cross threads by reference; structured copies of bulk are slow on some runtimes (design §3). */
function packed(sources: readonly Uint8Array[]): Packed {
  const buffer = new SharedArrayBuffer(sources.reduce((sum, source) => sum + source.length, 0));
  let at = 0;
  const parts = sources.map((source) => {
    const part = new Uint8Array(buffer, at, source.length);
    part.set(source);
    at += source.length;
    return part;
  });
  return { buffer, parts };
}

/** Packs a directory plugin's files once per revision. */
export class FilePacker {
  #files: PluginCode["files"] | undefined;
  #revision: bigint | undefined;
  #packed: PackedFiles | undefined;

  pack(code: PluginCode): PackedFiles | undefined {
    if (code.files.size === 0) return undefined;
    if (this.#packed !== undefined && this.#revision === code.revision && this.#files === code.files) return this.#packed;
    const { buffer, parts } = packed([...code.files.values()]);
    const entries = [...code.files.keys()].map((path, index) => {
      const part = parts[index] as Uint8Array;
      return [path, part.byteOffset, part.length] as const;
    });
    // Any time that changes with the revision serves; Python compares it only for equality.
    this.#packed = { buffer, entries, modifiedNs: BigInt.asUintN(32, code.revision) * 1_000_000_000n };
    this.#revision = code.revision;
    this.#files = code.files;
    return this.#packed;
  }
}
