/** Writing plugins so that a reader sees the old or the new one, never a part (spec: processing-engine §14.5). */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { statOrUndefined } from "./read-plugin.ts";

/** `temporary` must be a name in the same folder that nobody else has. */
export async function replaceFile(path: string, content: Uint8Array, temporary: string): Promise<void> {
  try {
    await writeFile(temporary, content, { flag: "wx", flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** All files beside the live folder first, then two renames; the old folder comes back when the second one fails. */
export async function replaceFolder(path: string, files: ReadonlyMap<string, Uint8Array>, { temporary, old }: { readonly temporary: string; readonly old: string }): Promise<void> {
  try {
    for (const [name, content] of files) {
      const file = join(temporary, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content, { flag: "wx", flush: true });
    }
    const isThere = (await statOrUndefined(path)) !== undefined;
    if (isThere) await rename(path, old);
    try {
      await rename(temporary, path);
    } catch (error) {
      if (isThere) await rename(old, path);
      throw error;
    }
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}
