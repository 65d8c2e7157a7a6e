/** Limits of installing packages: each bounds what a package index, which may be anyone's, can make us hold or do. */

/** One answer of the index: the largest real project pages take about 30 MB. */
export const INDEX_PAGE_BYTES_MAX = 64 * 1024 * 1024;
/** Files of one project that are looked at. */
export const PROJECT_FILES_MAX = 20_000;
export const METADATA_BYTES_MAX = 4 * 1024 * 1024;
export const WHEEL_BYTES_MAX = 128 * 1024 * 1024;
/** Unpacked files of one wheel; a bomb inflates a thousandfold. */
export const UNPACKED_BYTES_MAX = 512 * 1024 * 1024;
export const UNPACKED_FILES_MAX = 50_000;
/** All packages of an environment together: every instance sees them, once in memory. */
export const ENVIRONMENT_BYTES_MAX = 1024 * 1024 * 1024;
export const PACKAGES_MAX = 500;
/** Candidates that the resolver tries before it gives up. */
export const RESOLVER_STEPS_MAX = 5_000;
export const REQUIREMENTS_BYTES_MAX = 1024 * 1024;
/** `-r` inside `-r`. */
export const REQUIREMENTS_DEPTH_MAX = 8;
export const MARKER_DEPTH_MAX = 32;
export const REQUIREMENT_LENGTH_MAX = 4_096;
