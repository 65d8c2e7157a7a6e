/**
 * Which catalog a local WAL belongs to, where the catalog lies elsewhere. Its records name tables by number: replayed into
 * another catalog they would end up in the wrong tables.
 */
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { walFileNumber } from "../../core/wal/file-name.ts";

const OWNER_FILE = "catalog";

/** Notes the catalog when the folder holds no WAL file yet. Throws `server.misconfigured` when it holds another catalog's. */
export async function checkFolderOwner(folder: string, catalogUuid: string): Promise<void> {
  const noted = await readFile(join(folder, OWNER_FILE), "utf8").catch(() => "");
  if (noted.trim() === catalogUuid) return;
  const files = (await readdir(folder)).filter((name) => walFileNumber(name) !== undefined);
  if (files.length > 0) {
    throw new DatabaseError("server.misconfigured", {
      message: `The WAL in '${folder}' belongs to another catalog than the object store's: its rows would get into the wrong tables`,
      hint: "use the bucket it was written for; or move the folder away, with the rows that are only in it",
      details: { folder },
    });
  }
  const path = join(folder, OWNER_FILE);
  try {
    await writeFile(`${path}.part`, `${catalogUuid}\n`, { flush: true });
    await rename(`${path}.part`, path);
  } catch (error) {
    throw new DatabaseError("server.folder_not_writable", { message: `The folder '${folder}' cannot be written: ${messageOf(error)}`, hint: "choose another --data-dir, or make this one writable", cause: error });
  }
}
