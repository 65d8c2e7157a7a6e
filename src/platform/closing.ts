/** Closes what was opened, last first; one part that fails to close does not keep the others open. */
import { messageOf } from "../core/errors/database-error.ts";
import type { LogSink } from "../ports/log-sink.ts";

export class Closing {
  readonly #log: LogSink;
  readonly #steps: { readonly name: string; readonly close: () => Promise<unknown> | void }[] = [];
  #running: Promise<void> | undefined;

  constructor(log: LogSink) {
    this.#log = log;
  }

  add(name: string, close: () => Promise<unknown> | void): void {
    this.#steps.push({ name, close });
  }

  run(): Promise<void> {
    this.#running ??= this.#closeAll();
    return this.#running;
  }

  async #closeAll(): Promise<void> {
    for (const { name, close } of this.#steps.reverse()) {
      try {
        await close();
      } catch (error) {
        this.#log.log("error", `Closing the ${name} failed: ${messageOf(error)}`);
      }
    }
  }
}
