/** Names by the system's own resolver, so that `/etc/hosts` and search domains count. */
import { lookup } from "node:dns/promises";
import { NetworkError } from "../../ports/plugin-network.ts";
import { ADDRESSES_MAX, LOOKUP_MS_MAX, LOOKUPS_AT_ONCE_MAX } from "./limits.ts";

type Lookup = (host: string) => Promise<readonly string[]>;

export const systemLookup: Lookup = async (host) => (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/** In glibc's words. */
const unknownName = (): NetworkError => new NetworkError("EAI_NONAME", "Name or service not known");
const laterPerhaps = (): NetworkError => new NetworkError("EAI_AGAIN", "Temporary failure in name resolution");

export class Resolver {
  readonly #lookup: Lookup;
  readonly #waiting: (() => void)[] = [];
  /** A name that is asked for twice is looked up once. */
  readonly #underWay = new Map<string, Promise<readonly string[]>>();
  #running = 0;

  constructor(find: Lookup = systemLookup) {
    this.#lookup = find;
  }

  /** Rejects with `NetworkError` `EAI_NONAME` or `EAI_AGAIN`. */
  async resolve(host: string): Promise<readonly string[]> {
    const found = this.#underWay.get(host) ?? this.#begin(host);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(laterPerhaps()), LOOKUP_MS_MAX);
    });
    try {
      return await Promise.race([found, patience]);
    } finally {
      clearTimeout(timer);
    }
  }

  #begin(host: string): Promise<readonly string[]> {
    const found = this.#inTurn(host).finally(() => this.#underWay.delete(host));
    this.#underWay.set(host, found);
    // Whoever asked may have gone.
    found.catch(() => undefined);
    return found;
  }

  async #inTurn(host: string): Promise<readonly string[]> {
    if (this.#running >= LOOKUPS_AT_ONCE_MAX) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      const addresses = [...new Set(await this.#lookup(host))].slice(0, ADDRESSES_MAX);
      if (addresses.length === 0) throw unknownName();
      return addresses;
    } catch (error) {
      throw isTemporary(error) ? laterPerhaps() : unknownName();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

const isTemporary = (error: unknown): boolean => error instanceof Error && "code" in error && ["EAI_AGAIN", "ETIMEOUT", "ETIMEDOUT", "ESERVFAIL", "EMFILE"].includes(String(error.code));
