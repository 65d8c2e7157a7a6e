/**
 * The runs under way and who called whom: a plugin may call its own server over HTTP, and such a call must not wait for a
 * run that itself waits for the caller (design §8.10).
 */

/** One run, from its start to its end, retries not included. */
export interface Run {
  /** Unique; its log rows have it. */
  readonly id: string;
  readonly triggerKey: string;
  /** The run whose call to this server led to it. */
  readonly parent: Run | undefined;
  /** What its calls to this server wait for: a trigger that has no instance free, or the run that serves the call. */
  readonly waits: Set<Run | string>;
}

export class Runs {
  readonly #newId: () => string;
  readonly #byTrigger = new Map<string, Set<Run>>();

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  begin(triggerKey: string, parent?: Run): Run {
    const run: Run = { id: this.#newId(), triggerKey, parent, waits: new Set() };
    const others = this.#byTrigger.get(triggerKey);
    if (others === undefined) this.#byTrigger.set(triggerKey, new Set([run]));
    else others.add(run);
    parent?.waits.add(run);
    return run;
  }

  end(run: Run): void {
    const others = this.#byTrigger.get(run.triggerKey);
    others?.delete(run);
    if (others?.size === 0) this.#byTrigger.delete(run.triggerKey);
    run.parent?.waits.delete(run);
  }

  /** Runs that led to this one, itself included. */
  depth(run: Run): number {
    let depth = 0;
    for (let each: Run | undefined = run; each !== undefined; each = each.parent) depth += 1;
    return depth;
  }

  /** Whether all instances of the trigger are taken by runs that cannot end before the caller's call has ended. */
  wouldWaitForItself(caller: Run, triggerKey: string): boolean {
    const line = new Set<Run>();
    for (let each: Run | undefined = caller; each !== undefined; each = each.parent) line.add(each);
    return this.#triggerNeeds(triggerKey, line, new Set());
  }

  #triggerNeeds(triggerKey: string, line: ReadonlySet<Run>, visited: Set<Run | string>): boolean {
    if (visited.has(triggerKey)) return false;
    visited.add(triggerKey);
    const occupants = this.#byTrigger.get(triggerKey);
    return occupants !== undefined && [...occupants].every((run) => this.#runNeeds(run, line, visited));
  }

  #runNeeds(run: Run, line: ReadonlySet<Run>, visited: Set<Run | string>): boolean {
    if (line.has(run)) return true;
    if (visited.has(run)) return false;
    visited.add(run);
    for (const wait of run.waits) {
      if (typeof wait === "string" ? this.#triggerNeeds(wait, line, visited) : this.#runNeeds(wait, line, visited)) return true;
    }
    return false;
  }
}
