/**
 * Imports packages in a fresh guest that was granted nothing, and says whether its memory may be an image. It may not when the
 * imports did anything whose result is one instance's own: asked the host, slept, printed, took random bytes
 * (but to seed a generator of `random`, which each instance seeds anew), left files open, or failed.
 */
import { messageOf } from "../../core/errors/database-error.ts";
import type { ImportStatement } from "../../core/packages/plugin-imports.ts";
import type { Guest } from "./guest.ts";
import { CACHE_BYTES_DEFAULT, MADE_IMAGE_NAMES_MAX, RESPONSE_BODY_BYTES_DEFAULT, RUN_WRITE_BYTES_MAX } from "./limits.ts";
import { liftRunResult } from "./outcome.ts";
import type { GuestMemory } from "./guest-memory.ts";

/** What seeding a generator of `random` takes: the 624 words of its state. */
const SEED_BYTES = 2_496;

/** A plugin of ours: it imports as the statements would, and notes which variables are asked for and which generators are seeded. */
const IMPORTER = `import importlib
import json
import os
import random

from _tidemark import resuming


def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    asked = set()
    encode, decode = os.environ.encodekey, os.environ.decodekey

    def one(key):
        asked.add(str(key))
        return encode(key)

    def each(key):
        asked.add("*")
        return decode(key)

    seed = random.Random.seed
    seeds = 0

    def noted(generator, a=None, *more):
        nonlocal seeds
        if a is None:
            seeds += 1
            if not any(known is generator for known in resuming.generators):
                resuming.generators.append(generator)
        return seed(generator, a, *more)

    os.environ.encodekey, os.environ.decodekey = one, each
    random.Random.seed = noted
    try:
        for statement in json.loads(request_body):
            module = importlib.import_module(statement["module"])
            for name in statement["members"]:
                if not hasattr(module, name):
                    importlib.import_module(f"{statement['module']}.{name}")
    finally:
        os.environ.encodekey, os.environ.decodekey = encode, decode
        random.Random.seed = seed
    return "\\n".join([str(seeds), *asked])
`;

const LIMITS = { environment: [], writeBytes: RUN_WRITE_BYTES_MAX, responseBytes: RESPONSE_BODY_BYTES_DEFAULT, cacheBytes: CACHE_BYTES_DEFAULT };

/** What the executor sees of the imports from outside. */
export interface Witness {
  /** Bytes of entropy that the guest has taken so far. */
  readonly entropyBytes: () => number;
  readonly printed: () => boolean;
  readonly openFiles: () => number;
}

/** In a memory that holds the interpreter's image. Texts are refusals. */
export function importPackages(guest: Guest, memory: GuestMemory, { imports, witness }: { readonly imports: readonly ImportStatement[]; readonly witness: Witness }): { readonly environment: readonly string[] } | string {
  try {
    guest.resume(LIMITS);
    const before = witness.entropyBytes();
    const body = new TextEncoder().encode(JSON.stringify(imports));
    const { end, answer } = guest.run(
      { plugin: { fileName: "import_packages.py", source: IMPORTER, module: "import_packages", revision: 0n }, arguments: undefined, sparseRows: false },
      { kind: "request", request: { query: [], headers: [], body } },
    );
    if (end.kind !== "returned" || answer === undefined) return end.kind === "hard-stopped" ? "its import asks the host, or waits" : `its import ends with "${end.kind}"`;
    const result = liftRunResult(memory, { ofRequest: true, returned: answer.address, limits: LIMITS });
    guest.free(answer);
    if (result.tag === "err") return `its import fails: ${result.failure.typeName}: ${result.failure.message}`;
    const [seeds = "0", ...environment] = new TextDecoder().decode(result.response?.body).split("\n");
    // Generators are seeded anew in each instance; any other secret would be the same in all.
    if (witness.entropyBytes() - before !== Number(seeds) * SEED_BYTES) return "its import takes random bytes";
    if (witness.printed()) return "its import prints";
    if (witness.openFiles() > 0 || guest.cacheSize() > 0) return "its import leaves something open";
    // Settles: what is imported is no garbage, and nothing of the importer stays.
    guest.warmUp();
    return { environment: environment.length > MADE_IMAGE_NAMES_MAX ? ["*"] : environment };
  } catch (error) {
    return messageOf(error);
  }
}

