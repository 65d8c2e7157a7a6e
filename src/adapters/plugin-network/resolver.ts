/** Names by the system's own resolver, so that `/etc/hosts` and search domains count. */
import { lookup } from "node:dns/promises";
import { NetworkError } from "../../ports/plugin-network.ts";
import { ADDRESSES_MAX, LOOKUP_MS_MAX, LOOKUP_SLOW_MEMORY_MS, LOOKUP_SLOW_MS, LOOKUP_SLOW_OWNERS_MAX, LOOKUPS_AT_ONCE_MAX } from "./limits.ts";

type Lookup = (host: string) => Promise<readonly string[]>;

export const systemLookup: Lookup = async (host) => (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/** In glibc's words. */
const unknownName = (): NetworkError => new NetworkError("EAI_NONAME", "Name or service not known");
const laterPerhaps = (): NetworkError => new NetworkError("EAI_AGAIN", "Temporary failure in name resolution");

/** One name that is looked up, or is to be: once, whoever asks for it meanwhile. */
interface Question {
  readonly host: string;
  readonly owners: string[];
  /** Who still waits for it. */
  waiting: number;
  readonly found: Promise<readonly string[]>;
  begin(): void;
}

/**
 * A name server may take as long as its owner likes, and the system cannot be told to give up. So whoever's names were slow
 * goes behind all others, and of the turns at once one is never theirs.
 */
export class Resolver {
  readonly #lookup: Lookup;
  readonly #questions = new Map<string, Question>();
  readonly #queue: Question[] = [];
  /** Since when its names were slow, in order. */
  readonly #slowOwners = new Map<string, number>();
  #running = 0;
  /** Of those that run: how many are slow. */
  #slow = 0;

  constructor(find: Lookup = systemLookup) {
    this.#lookup = find;
  }

  /** `owner`: whoever's turn it takes. Rejects with `NetworkError` `EAI_NONAME` or `EAI_AGAIN`. */
  async resolve(host: string, owner: string): Promise<readonly string[]> {
    const question = this.#ask(host, owner);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(laterPerhaps()), LOOKUP_MS_MAX);
    });
    question.waiting += 1;
    try {
      return await Promise.race([question.found, patience]);
    } finally {
      clearTimeout(timer);
      question.waiting -= 1;
      if (question.waiting === 0) this.#drop(question);
    }
  }

  #ask(host: string, owner: string): Question {
    const known = this.#questions.get(host);
    if (known !== undefined) {
      if (!known.owners.includes(owner)) known.owners.push(owner);
      this.#beginNext();
      return known;
    }
    let begin = (): void => undefined;
    const turn = new Promise<void>((resolve) => (begin = resolve));
    const question: Question = { host, owners: [owner], waiting: 0, begin, found: turn.then(() => this.#find(question)) };
    // Whoever asked may have gone.
    question.found.catch(() => undefined);
    this.#questions.set(host, question);
    this.#queue.push(question);
    this.#beginNext();
    return question;
  }

  /** Nobody waits any more: if it has not begun, it need not. */
  #drop(question: Question): void {
    const at = this.#queue.indexOf(question);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#questions.delete(question.host);
  }

  #beginNext(): void {
    if (this.#running >= LOOKUPS_AT_ONCE_MAX || this.#running > this.#slow) return;
    const quick = this.#queue.find(({ owners }) => owners.some((owner) => !this.#isSlow(owner)));
    const next = quick ?? (this.#running === 0 ? this.#queue[0] : undefined);
    if (next === undefined) return;
    this.#queue.splice(this.#queue.indexOf(next), 1);
    this.#running += 1;
    next.begin();
  }

  async #find(question: Question): Promise<readonly string[]> {
    const [owner = ""] = question.owners;
    let isSlow = false;
    const timer = setTimeout(() => {
      isSlow = true;
      this.#slow += 1;
      this.#remember(owner);
      this.#beginNext();
    }, LOOKUP_SLOW_MS);
    try {
      const addresses = [...new Set(await this.#lookup(question.host))].slice(0, ADDRESSES_MAX);
      if (addresses.length === 0) throw unknownName();
      return addresses;
    } catch (error) {
      throw isTemporary(error) ? laterPerhaps() : unknownName();
    } finally {
      clearTimeout(timer);
      this.#running -= 1;
      if (isSlow) this.#slow -= 1;
      this.#questions.delete(question.host);
      this.#beginNext();
    }
  }

  #isSlow(owner: string): boolean {
    const since = this.#slowOwners.get(owner);
    return since !== undefined && performance.now() - since < LOOKUP_SLOW_MEMORY_MS;
  }

  #remember(owner: string): void {
    this.#slowOwners.delete(owner);
    this.#slowOwners.set(owner, performance.now());
    const [oldest] = this.#slowOwners.keys();
    if (this.#slowOwners.size > LOOKUP_SLOW_OWNERS_MAX && oldest !== undefined) this.#slowOwners.delete(oldest);
  }
}

const isTemporary = (error: unknown): boolean => error instanceof Error && "code" in error && ["EAI_AGAIN", "ETIMEOUT", "ETIMEDOUT", "ESERVFAIL", "EMFILE"].includes(String(error.code));
