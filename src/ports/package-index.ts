import type { IndexFile } from "../core/packages/simple-index.ts";

/** Where wheels come from: an index by its base URL, or a page or folder of links. */
export interface PackageIndex {
  /** Files of a project (PEP 503/691); undefined when the index does not have it. Throws `package.index_unavailable`. */
  project(indexUrl: string, name: string): Promise<readonly IndexFile[] | undefined>;
  /** Files of a page or a local folder (`--find-links`). Throws `package.index_unavailable`. */
  links(location: string): Promise<readonly IndexFile[]>;
  /** A file's bytes, at most `bytesMax`. `onProgress` gets bytes so far. Throws `package.index_unavailable`, `package.corrupt`. */
  download(url: string, options: { readonly bytesMax: number; readonly onProgress?: (bytes: number, total: number | undefined) => void }): Promise<Uint8Array>;
}
