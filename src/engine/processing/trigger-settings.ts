/** What a trigger may use and reach: the server's values with its own in their place. */
import type { TriggerDefinition } from "../../core/catalog/definitions.ts";
import { effectiveGrants, type TriggerGrants } from "../../core/trigger/grants.ts";
import type { InstanceLimits, NamedText } from "../../ports/plugin-runtime.ts";
import { type ProcessingLimits, withLimits } from "./limits.ts";
import type { PluginAccess } from "./services.ts";

export interface TriggerSettings {
  readonly limits: ProcessingLimits;
  readonly grants: TriggerGrants;
}

/** What the server gives a trigger that says nothing. */
export interface SettingDefaults {
  readonly limits: ProcessingLimits;
  readonly access: Pick<PluginAccess, "grants">;
}

export function settingsOf(services: SettingDefaults, definition?: Pick<TriggerDefinition, "limits" | "grants">): TriggerSettings {
  return {
    limits: withLimits(services.limits, definition?.limits),
    grants: effectiveGrants(services.access.grants, definition?.grants),
  };
}

/** The part of the settings that the sandbox itself keeps. */
export function instanceLimits({ limits, grants }: TriggerSettings, access: PluginAccess): InstanceLimits {
  return {
    memoryBytesMax: limits.instanceMemoryBytesMax,
    writeBytesMax: limits.runWriteBytesMax,
    responseBytesMax: limits.responseBytesMax,
    cacheBytesMax: limits.cacheBytesMax,
    scratchBytesMax: grants.scratch,
    environment: grants.env.flatMap((name): NamedText[] => {
      const value = access.environment(name);
      return value === undefined ? [] : [[name, value]];
    }),
  };
}
