/** One plugin file: far above any known plugin (the largest official one has 90 KB), far below an instance's memory. */
export const PLUGIN_BYTES_MAX = 4_194_304;

/** Python files of one directory plugin. */
export const PLUGIN_FILES_MAX = 1_000;
