/** A disk of a few megabytes that can be filled: a tmpfs. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { removeFolder, temporaryFolder } from "./server.ts";

export interface SmallDisk {
  readonly folder: string;
  /** Takes all room that is left. */
  fill(): void;
  /** Gives back what `fill` took. */
  free(): void;
  unmount(): void;
}

const STEPS = [1 << 18, 1 << 12, 1];

/** Undefined where nothing may be mounted. `size` as mount takes it, such as `1m`. */
export function mountSmallDisk(size: string): SmallDisk | undefined {
  const parent = temporaryFolder();
  const folder = join(parent, "small");
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    removeFolder(parent);
    return undefined;
  }
  const ballast = join(folder, "ballast");
  return {
    folder,
    fill() {
      const file = openSync(ballast, "a");
      for (const step of STEPS) while (took(file, step));
      closeSync(file);
    },
    free: () => rmSync(ballast, { force: true }),
    unmount() {
      execFileSync("umount", ["-l", folder], { stdio: "ignore" });
      removeFolder(parent);
    },
  };
}

function took(file: number, bytes: number): boolean {
  try {
    return writeSync(file, new Uint8Array(bytes)) === bytes;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOSPC") return false;
    throw error;
  }
}
