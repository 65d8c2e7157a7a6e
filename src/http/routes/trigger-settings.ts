/** Limits and grants as members of a JSON body, for triggers and for test runs. */
import * as v from "valibot";
import { type OwnGrants, parseGrants } from "../../core/trigger/grants.ts";
import { type OwnLimits, parseLimits } from "../../core/trigger/limits.ts";
import type { TriggerUpdateRequest } from "../services.ts";

/** Ours: by the names of src/core/trigger/limits.ts and grants.ts; null means what the server gives. */
export const SETTINGS = {
  limits: v.optional(v.nullable(v.record(v.string(), v.nullable(v.union([v.string(), v.number()]))))),
  grants: v.optional(v.nullable(v.record(v.string(), v.nullable(v.union([v.string(), v.number(), v.array(v.string())]))))),
};

type Members<T> = Readonly<Record<string, T | null>> | null | undefined;

const present = <T>(members: Members<T>): [string, T][] =>
  Object.entries(members ?? {}).flatMap(([name, value]): [string, T][] => (value === null ? [] : [[name, value]]));

const absent = (members: Members<unknown>): Record<string, undefined> =>
  Object.fromEntries(Object.entries(members ?? {}).flatMap(([name, value]) => (value === null ? [[name.replaceAll("-", "_"), undefined]] : [])));

export interface Settings {
  readonly limits?: Members<string | number>;
  readonly grants?: Members<string | number | string[]>;
}

/** What a new trigger has of its own. Throws `trigger.invalid_settings`. */
export function ownSettings({ limits, grants }: Settings): { readonly limits?: OwnLimits; readonly grants?: OwnGrants } {
  return {
    ...(limits == null ? {} : { limits: parseLimits(present(limits)) }),
    ...(grants == null ? {} : { grants: parseGrants(present(grants)) }),
  };
}

/** What an update changes. Throws `trigger.invalid_settings`. */
export function changedSettings({ limits, grants }: Settings): Pick<TriggerUpdateRequest, "limits" | "grants"> {
  return {
    limits: { ...parseLimits(present(limits)), ...absent(limits) },
    grants: { ...parseGrants(present(grants)), ...absent(grants) },
  };
}
