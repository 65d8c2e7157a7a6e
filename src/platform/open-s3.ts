/** An S3 bucket as this node's store: with its keys, checked for what it must be able to do, and claimed. */
import { hostname } from "node:os";
import { credentialsFromFile } from "../adapters/object-store/s3/credentials.ts";
import type { S3Settings } from "../adapters/object-store/s3/settings.ts";
import { createS3ObjectStore } from "../adapters/object-store/s3/store.ts";
import type { S3Config } from "../core/config/store-config.ts";
import { DatabaseError, isDatabaseError } from "../core/errors/database-error.ts";
import { NodeClaim } from "../engine/stores/node-claim.ts";
import type { Clock } from "../ports/clock.ts";
import type { LogSink } from "../ports/log-sink.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { randomName } from "./random.ts";

export interface StoreParts {
  readonly clock: Clock;
  readonly log: LogSink;
}

export function openS3(config: S3Config, { clock }: StoreParts, onRetry: () => void): ObjectStore {
  const { access, endpoint, ...rest } = config;
  return createS3ObjectStore({ ...rest, endpoint: new URL(endpoint), credentials: credentialsOf(access, clock), clock, random: Math.random, randomName, onRetry });
}

function credentialsOf(access: S3Config["access"], clock: Clock): S3Settings["credentials"] {
  if (access === undefined) return async () => undefined;
  return "credentialsFile" in access ? credentialsFromFile(access.credentialsFile, clock) : async () => access;
}

/** Throws `server.misconfigured` for a store on which two servers could overwrite each other. */
export async function takeNode(store: ObjectStore, nodeId: string, parts: StoreParts): Promise<NodeClaim> {
  await checkConditionalPut(store, `${nodeId}/conditional-put-probe`);
  return NodeClaim.take({ store, nodeId, processName: randomName(), hostName: hostname(), ...parts });
}

async function checkConditionalPut(store: ObjectStore, path: string): Promise<void> {
  // Once to have it, once to be refused.
  for (let time = 0; time < 2; time++) {
    try {
      await store.put(path, new TextEncoder().encode("put with If-None-Match: * must be refused here\n"), { ifAbsent: true });
    } catch (error) {
      if (isDatabaseError(error) && error.code === "object_store.exists") return;
      throw error;
    }
  }
  throw new DatabaseError("server.misconfigured", {
    message: "The object store ignores If-None-Match: it replaces an object that it was told to keep, so two servers could overwrite each other",
    hint: "use a store with conditional puts: Amazon S3, MinIO, Ceph, R2 and others have them, some in newer releases only",
  });
}
