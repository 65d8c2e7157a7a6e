/**
 * Closed connections whose last bytes are on their way, as the system keeps them for programs of its own: a plugin may send
 * and close at once. Neither for long nor many.
 */
import type { Duplex } from "node:stream";
import { LINGER_BYTES_MAX, LINGER_MS_MAX, LINGERING_MAX } from "./limits.ts";

export class Lingering {
  #count = 0;

  /** Calls `destroy` once, when everything is out or patience is. */
  add(stream: Duplex, destroy: () => void): void {
    if (this.#count >= LINGERING_MAX) return destroy();
    this.#count += 1;
    const timer = setTimeout(() => finish(), LINGER_MS_MAX);
    timer.unref();
    let isDone = false;
    const finish = (): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      this.#count -= 1;
      destroy();
    };
    stream.once("finish", finish);
    stream.once("close", finish);
    // What the peer still says is nobody's; unread, it would make the system take back what was sent.
    let said = 0;
    stream.on("data", (bytes: Uint8Array) => {
      said += bytes.length;
      if (said > LINGER_BYTES_MAX) finish();
    });
    stream.resume();
    stream.end();
  }
}
