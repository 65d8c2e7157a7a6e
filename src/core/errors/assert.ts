import { DatabaseError } from "./database-error.ts";

/** States an invariant of ours; it stays on in production. Throws `internal.invariant`. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) {
    throw new DatabaseError("internal.invariant", {
      message: `Invariant broken: ${invariant}`,
      hint: "this is a fault of Tidemark: please report it",
    });
  }
}
