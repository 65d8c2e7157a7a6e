/** One plugin file: far above any known plugin (the largest official one has 90 KB), far below an instance's memory. */
export const PLUGIN_BYTES_MAX = 4_194_304;

/** All files of one directory plugin: they are copied into the memory of every instance that runs it. */
export const PLUGIN_FOLDER_BYTES_MAX = 16_777_216;

/** Files of one directory plugin. */
export const PLUGIN_FILES_MAX = 1_000;

/** Code that is kept in memory between runs, of the plugin folder and of repositories; what is beyond is read again at each run. */
export const PLUGIN_BYTES_KEPT_MAX = 67_108_864;

/** What a plugin costs beside its files. */
export const PLUGIN_KEPT_BYTES = 1_024;

/** How long a folder counts as unchanged: looking at 30 files costs 3 ms of CPU time, a run of an empty plugin 0.3 ms. */
export const FOLDER_CHECK_MS = 100;

/** A path in a plugin repository. */
export const REPOSITORY_PATH_LENGTH_MAX = 1_024;

/** Whole answer of the plugin repository. */
export const REPOSITORY_TIME_MS_MAX = 10_000;

/** Files of repositories that are remembered with their hash; together at most 800 MiB on disk. */
export const REPOSITORY_PINS_MAX = 200;

/** Files of the plugin folder that one plugin may read beside its code; a run that reads all holds them in memory. */
export const SHOWN_FILES_MAX = 1_000;
export const SHOWN_BYTES_MAX = 33_554_432;

/** How long a look at them holds; what is in them is read by each run. */
export const SHOWN_CHECK_MS = 500;

/** Different sets of them that are remembered: one for each trigger with arguments of its own. */
export const SHOWN_SETS_MAX = 500;
