/**
 * A query's answer as a reply: rendered and streamed. Whatever fails before the first bytes left is an error with a
 * status; afterwards only the connection can be cut (spec: http-api §7).
 */
import { formatBytes, type ResultFormat } from "../core/query/format-result.ts";
import type { QueryStream } from "../core/query/query-stream.ts";
import { BUFFERED_RESULT_SIZE_MAX } from "./limits.ts";
import type { Reply } from "./reply.ts";
import { CONTENT_TYPES } from "./result-format.ts";

/** Small results go out whole, with a length; larger ones as they come. Closes the stream in every case. */
export async function renderReply(stream: QueryStream, format: ResultFormat): Promise<Reply> {
  const headers = { "content-type": CONTENT_TYPES[format] };
  const first: Uint8Array[] = [];
  let size = 0;
  try {
    const chunks = formatBytes(stream, format)[Symbol.asyncIterator]();
    while (size < BUFFERED_RESULT_SIZE_MAX) {
      const part = await chunks.next();
      if (part.done === true) {
        await stream.close();
        return { status: 200, headers, body: join(first, size) };
      }
      first.push(part.value);
      size += part.value.length;
    }
    return { status: 200, headers, body: restOf(stream, join(first, size), chunks) };
  } catch (error) {
    await stream.close();
    throw error;
  }
}

function restOf(stream: QueryStream, first: Uint8Array, chunks: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first),
    async pull(controller) {
      try {
        const part = await chunks.next();
        if (part.done !== true) {
          controller.enqueue(part.value);
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
      try {
        await chunks.return?.();
      } finally {
        await stream.close();
      }
    },
  });
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
