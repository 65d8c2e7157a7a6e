/**
 * A query's answer as a reply: rendered and streamed. Whatever fails before the first bytes left is an error with a
 * status; afterwards only the connection can be cut (spec: http-api §7).
 */
import type { QueryStream } from "../core/query/query-stream.ts";
import { BUFFERED_RESULT_SIZE_MAX } from "./limits.ts";
import type { Reply } from "./reply.ts";
import { CONTENT_TYPES, type ResultFormat } from "./result-format.ts";

/** Turns a stream of rows into the bytes of a format (spec: query §1). */
export type RenderResult = (stream: QueryStream, format: ResultFormat) => AsyncIterable<string | Uint8Array>;

const encoder = new TextEncoder();

/** Small results go out whole, with a length; larger ones as they come. Closes the stream in every case. */
export async function renderReply(stream: QueryStream, format: ResultFormat, render: RenderResult): Promise<Reply> {
  const headers = { "content-type": CONTENT_TYPES[format] };
  const chunks = render(stream, format)[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let size = 0;
  try {
    while (size < BUFFERED_RESULT_SIZE_MAX) {
      const part = await chunks.next();
      if (part.done === true) {
        await stream.close();
        return { status: 200, headers, body: join(first, size) };
      }
      const bytes = toBytes(part.value);
      first.push(bytes);
      size += bytes.length;
    }
  } catch (error) {
    await stream.close();
    throw error;
  }
  return { status: 200, headers, body: restOf(stream, join(first, size), chunks) };
}

function restOf(stream: QueryStream, first: Uint8Array, chunks: AsyncIterator<string | Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first),
    async pull(controller) {
      try {
        const part = await chunks.next();
        if (part.done !== true) {
          controller.enqueue(toBytes(part.value));
          return;
        }
        await stream.close();
        controller.close();
      } catch (error) {
        await stream.close();
        throw error;
      }
    },
    async cancel() {
      await chunks.return?.();
      await stream.close();
    },
  });
}

function toBytes(chunk: string | Uint8Array): Uint8Array {
  return typeof chunk === "string" ? encoder.encode(chunk) : chunk;
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
