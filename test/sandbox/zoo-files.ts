/** The files of the zoo, one attack each. */
import { readdirSync } from "node:fs";

export const folder: URL = new URL("./zoo/", import.meta.url);
/** Every attack. */
export const names: readonly string[] = readdirSync(folder).filter((file) => file.endsWith(".py")).map((file) => file.slice(0, -3)).sort();
