/** Makes a folder and its parents, durably. Node's own recursive mkdir never returns where parents cannot be made, as below /proc. */
import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";

/** Throws `server.folder_not_writable`; `what` names the folder's purpose, `flag` the setting that chooses it. */
export function makeFolder(path: string, { what, flag }: { readonly what: string; readonly flag: string }): void {
  try {
    make(path);
  } catch (error) {
    throw new DatabaseError("server.folder_not_writable", {
      message: `The ${what} '${path}' cannot be written: ${messageOf(error)}`,
      hint: `choose another ${flag}, or make this one writable`,
      cause: error,
    });
  }
}

function make(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const parent = dirname(path);
  if (parent !== path) make(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been quicker.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
  syncFolder(parent);
}

/** A new name counts only once the folder that holds it is synced. */
function syncFolder(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
