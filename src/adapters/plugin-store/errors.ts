import { DatabaseError } from "../../core/errors/database-error.ts";

/** Spec: processing-engine §4.2. */
export const outside = (name: string): DatabaseError =>
  new DatabaseError("plugin.path_outside", {
    message: `Path traversal detected: plugin filename '${name}' attempts to access files outside the plugin directory`,
    hint: "name the file relative to the plugin folder",
  });

/** Spec: processing-engine §14. */
export const reading = (text: string, hint: string): DatabaseError =>
  new DatabaseError("plugin.not_found", { message: `Plugin error: reading plugin file: ${text}`, hint });
