/** What a plugin asks for: the table `[grants]` of its manifest.toml. */
import { DatabaseError } from "../errors/database-error.ts";
import { type OwnGrants, parseGrants } from "./grants.ts";
import { ManifestProblem, manifestTable } from "./manifest.ts";

/** Throws `trigger.invalid_settings` for a table that cannot be read or asks for what there is not. */
export function manifestGrants(text: string): OwnGrants {
  try {
    return parseGrants(manifestTable(text, "grants"));
  } catch (error) {
    if (!(error instanceof ManifestProblem)) throw error;
    throw new DatabaseError("trigger.invalid_settings", {
      message: `The table [grants] of the plugin's manifest.toml cannot be read: ${error.text}`,
      hint: 'write it as in net = ["example.org:443"], scratch = "16mb"',
    });
  }
}
