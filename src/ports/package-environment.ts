/** The folder of installed packages. What is installed changes in one step, or not at all. */
export interface InstalledPackage {
  /** Normalized. */
  readonly name: string;
  readonly version: string;
  readonly fileName: string;
  /** Hex, of the wheel. */
  readonly sha256: string;
  readonly extras: readonly string[];
  /** Names of the packages that need it; empty: only the user does. */
  readonly requiredBy: readonly string[];
  /** The user asked for it by name. */
  readonly requested: boolean;
}

export interface PackageEnvironment {
  /** By name. Throws `package.corrupt`. */
  installed(): Promise<readonly InstalledPackage[]>;
  /** A wheel that was fetched before, by its hash. */
  cached(sha256: string): Promise<Uint8Array | undefined>;
  /** Keeps a wheel for later. */
  keep(sha256: string, wheel: Uint8Array): Promise<void>;
  /** Unpacks the wheels into a new folder and makes it the current one. Throws `package.corrupt`, `object_store.unavailable`. */
  replace(packages: readonly (InstalledPackage & { readonly wheel: Uint8Array })[]): Promise<void>;
  /** Hex SHA-256. */
  sha256(bytes: Uint8Array): string;
}
