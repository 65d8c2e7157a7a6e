/** Turns at something of which only so much goes on at once; whoever waits gets them in order. */
export class Turns {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Resolves to the function that gives the turn back; harmless when called twice. */
  async take(): Promise<() => void> {
    if (this.#taken >= this.#max) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    else this.#taken += 1;
    let isBack = false;
    return () => {
      if (isBack) return;
      isBack = true;
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken -= 1;
      else next();
    };
  }
}
