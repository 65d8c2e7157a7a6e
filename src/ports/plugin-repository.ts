/** One GET to the plugin repository (`--plugin-repo`); a test answers from a map. */
export interface PluginRepository {
  /**
   * Resolves to every answer, whatever its status. Throws when there is none: no network, too slow, more than
   * `bytesMax` bytes, a redirect that would leave HTTPS.
   */
  get(url: string, limits: { readonly bytesMax: number; readonly timeMsMax: number }): Promise<RepositoryAnswer>;
}

export interface RepositoryAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly body: Uint8Array;
}
