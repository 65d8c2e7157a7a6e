/**
 * The instances of one trigger. A synchronous trigger has one; runs of an asynchronous one overlap in up to a limit of
 * them (design §8.10). The first, the primary, is preferred and stays; siblings are made when all are busy, and go when
 * they have been idle for a while. So does the primary's memory when nothing in it would be missed. A run that finds all
 * busy waits for its turn.
 */
import type { Clock } from "../../ports/clock.ts";
import type { PluginInstance, RunOutcome } from "../../ports/plugin-runtime.ts";
import { PRIMARY_IDLE_MS, SIBLING_IDLE_MS } from "./limits.ts";
import type { CacheMember, SharedCache } from "./shared-cache.ts";

/** An instance for one run; `done` gives it back. */
export interface LeasedInstance {
  readonly instance: PluginInstance;
  /** What other instances changed in the private cache; undefined: there are no others. */
  readonly cacheUpdates: Uint8Array | undefined;
  done(outcome: RunOutcome | undefined): void;
}

export interface InstancePoolOptions {
  readonly make: () => PluginInstance;
  readonly instancesMax: number;
  readonly clock: Clock;
  /** For a trigger whose runs overlap. */
  readonly cache: SharedCache | undefined;
  /** A run told of its changes in a way that cannot be read. */
  readonly onDamage: (error: unknown) => void;
}

interface Member {
  readonly instance: PluginInstance;
  readonly cache: CacheMember | undefined;
  busy: boolean;
  cancelTimer: () => void;
}

export class InstancePool {
  readonly #options: InstancePoolOptions;
  readonly #members: Member[] = [];
  readonly #waiting: ((lease: LeasedInstance) => void)[] = [];

  constructor(options: InstancePoolOptions) {
    this.#options = options;
    this.#make();
  }

  get size(): number {
    return this.#members.length;
  }

  get memoryBytes(): number {
    return this.#members.reduce((sum, { instance }) => sum + instance.memoryBytes(), 0);
  }

  /** Whether a run would begin at once. */
  get hasRoom(): boolean {
    return this.#waiting.length === 0 && (this.#members.length < this.#options.instancesMax || this.#members.some(({ busy }) => !busy));
  }

  /** In the order of the calls. */
  acquire(): Promise<LeasedInstance> {
    const member = this.#members.find(({ busy }) => !busy) ?? (this.#members.length < this.#options.instancesMax ? this.#make() : undefined);
    if (member !== undefined && this.#waiting.length === 0) return Promise.resolve(this.#lease(member));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => {
      member.cancelTimer();
      return member.instance.close();
    }));
  }

  #make(): Member {
    const { make, cache } = this.#options;
    const member: Member = { instance: make(), cache: cache?.join(), busy: false, cancelTimer: () => undefined };
    this.#members.push(member);
    return member;
  }

  #lease(member: Member): LeasedInstance {
    const { cache } = this.#options;
    member.busy = true;
    member.cancelTimer();
    const cacheUpdates = cache === undefined || member.cache === undefined ? undefined : cache.updatesFor(member.cache);
    return { instance: member.instance, cacheUpdates, done: (outcome) => this.#done(member, outcome) };
  }

  #done(member: Member, outcome: RunOutcome | undefined): void {
    this.#takeChanges(member, outcome);
    member.busy = false;
    const next = this.#waiting.shift();
    if (next !== undefined) next(this.#lease(member));
    else if (member !== this.#members[0]) member.cancelTimer = this.#options.clock.after(SIBLING_IDLE_MS, () => this.#drop(member));
    else if (member.instance.release !== undefined) member.cancelTimer = this.#options.clock.after(PRIMARY_IDLE_MS, () => member.instance.release?.());
  }

  #takeChanges(member: Member, outcome: RunOutcome | undefined): void {
    const { cache, onDamage } = this.#options;
    if (cache === undefined || member.cache === undefined || outcome === undefined) return;
    const wasReset = outcome.kind === "failed" || outcome.cacheChanges === undefined || (outcome.kind !== "done" && outcome.cacheKeysLost > 0);
    if (wasReset) cache.reset(member.cache);
    try {
      if (outcome.cacheChanges !== undefined) cache.merge(member.cache, outcome.cacheChanges);
    } catch (error) {
      onDamage(error);
    }
  }

  #drop(member: Member): void {
    this.#members.splice(this.#members.indexOf(member), 1);
    if (member.cache !== undefined) this.#options.cache?.leave(member.cache);
    void member.instance.close();
  }
}
