/**
 * Settings of V8's garbage collector for a heap that is small beside the memory it looks after. The buffer's batches lie
 * outside the heap but count for its growth, so V8 would collect 20 MB of objects after every 15 MB of rows.
 */
import { totalmem } from "node:os";
import { setFlagsFromString } from "node:v8";

/** The heap may come to four times what the last collection left: the most that V8 itself would ever choose. */
const GROWTH = "--heap-growing-percent=300";
/** Helpers that mark such a heap meanwhile mostly wait for each other. */
const MARKING = "--no-concurrent-marking";
const MEMORY_BYTES_MIN = 1_500_000_000;

/** Call it before anything else is done; for Node only. Small machines keep V8's own choice of growth. */
export function tuneCollector(): void {
  setFlagsFromString(MARKING);
  if (totalmem() >= MEMORY_BYTES_MIN) setFlagsFromString(GROWTH);
}
