/** Every bound of the plugin runtime by name. The engine's own limits per trigger (design §8.17) lie below these. */

/** Bytes of one WebAssembly page. */
export const WASM_PAGE_BYTES = 65_536;

/** What the interpreter is linked for (runtime-wasm/dist/README.md): 20 MiB before it starts. */
export const BOOT_PAGES_INITIAL = 320;
/** Booting needs some 30 MB. */
export const BOOT_PAGES_MAX = 4096;
/** The largest artefact is a module of some 7 MB. */
export const ARTEFACT_BYTES_MAX = 64 * 1024 * 1024;

/** Largest single string or byte list a guest may hand over: the queue of one run's writes never comes near. */
export const GUEST_VALUE_BYTES_MAX = 128 * 1024 * 1024;
/** All bytes one message of a guest may carry: its values are copied on the host. */
export const GUEST_MESSAGE_BYTES_MAX = 256 * 1024 * 1024;
/** List items in one message: headers, parameters, databases written to. */
export const GUEST_MESSAGE_ITEMS_MAX = 262_144;
/** A longer log text is cut; the mark of `CUT_MARK` is appended. */
export const LOG_TEXT_BYTES_MAX = 64 * 1024;
/** Buffers that hand rows to runs: what is kept of them (a trigger takes 8 MB and the rest of a record), from which size on, and what they are rounded to. */
export const BULK_SPARE_BYTES_MAX = 16 * 1024 * 1024;
export const BULK_REUSED_BYTES_MIN = 16 * 1024;
export const BULK_ROUNDING_BYTES = 256 * 1024;
/** SQL text in host calls, and the parameters' names and values together. */
export const SQL_BYTES_MAX = 1024 * 1024;
export const SQL_PARAMETERS_MAX = 4096;
/** Names in host calls: databases, keys of the global cache. */
export const NAME_BYTES_MAX = 64 * 1024;
/** Line protocol of one run, or of one `write_sync` (runtime-wasm/python/local_api.py tells the plugin earlier). */
export const RUN_WRITE_BYTES_MAX = 64 * 1024 * 1024;
/** One call of the network: settings of TLS with the certificates to trust, bytes to send or to feed, bytes received. */
export const NET_SETTINGS_BYTES_MAX = 2 * 1024 * 1024;
export const NET_SEND_BYTES_MAX = 1024 * 1024;
export const NET_RECEIVE_BYTES_MAX = 256 * 1024;
/** Eight bytes for each connection of one `net-wait`. */
export const NET_INTERESTS_BYTES_MAX = 8 * 1024;
/** A longer wait is one without end: the run's time ends it. */
export const NET_WAIT_SECONDS_MAX = 86_400;
/** Host calls of one run. Beyond it each one is refused, and only after a pause, so that a loop costs the host nothing. */
export const RUN_HOST_CALLS_MAX = 200_000;
export const REFUSED_CALL_PAUSE_MS = 20;
/** Databases one run may write to. */
export const RUN_DATABASES_MAX = 64;
/** What one run may change in the private cache of a trigger whose runs overlap; beyond it the changes stay in their instance. */
export const CACHE_CHANGES_BYTES_MAX = 16 * 1024 * 1024;
/** Response of a request plugin; a trigger's own limit lies below (runtime-wasm/python/response.py tells the plugin earlier). */
export const RESPONSE_BODY_BYTES_MAX = 64 * 1024 * 1024;
/** Defaults of `InstanceLimits`. */
export const RESPONSE_BODY_BYTES_DEFAULT = 10 * 1024 * 1024;
export const CACHE_BYTES_DEFAULT = 64 * 1024 * 1024;
export const RESPONSE_HEADERS_MAX = 256;
export const RESPONSE_HEADER_BYTES_MAX = 64 * 1024;
/** What an exception may say: type, message, traceback; longer ones are cut. */
export const FAILURE_NAME_BYTES_MAX = 1024;
export const FAILURE_MESSAGE_BYTES_MAX = 256 * 1024;
export const FAILURE_TRACEBACK_BYTES_MAX = 1024 * 1024;
/** A reply of the host to a query; the engine's own limit is 64 MiB (design §8.17). */
export const REPLY_BYTES_MAX = 256 * 1024 * 1024;
export const CUT_MARK = "… (cut)";

/** Replies up to this size travel in the control block; larger ones are written straight into the guest's memory. */
export const INLINE_REPLY_BYTES_MAX = 64 * 1024;

/** A guest's values in a message between processes: as much as a message of a guest may carry, and their structure. */
export const MESSAGE_BYTES_MAX = 320 * 1024 * 1024;
/** One frame between processes: contexts, requests, file names; and what moves with it, at most a whole parked memory. */
export const FRAME_HEADER_BYTES_MAX = 16 * 1024 * 1024;
export const FRAME_BULK_BYTES_MAX = 4_294_967_295;

/** Runs of changed pages in a parked memory: every other page of 4 GiB, twice. */
export const IMAGE_RUNS_MAX = 1_048_576;

/** Printed lines are cut at this length. */
export const OUTPUT_LINE_BYTES_MAX = 8 * 1024;
/** Printed bytes of one run; the rest is dropped after one line that says so. */
export const OUTPUT_BYTES_PER_RUN_MAX = 1024 * 1024;
/** What a line costs at least: a flood of empty lines is a flood. */
export const OUTPUT_LINE_COST_BYTES_MIN = 64;
/** What is printed is copied out of the guest in parts of this size. */
export const OUTPUT_COPY_BYTES_MAX = 64 * 1024;
/** Printed lines travel together, up to this size or age; a request sends them off at once, so that order is kept. */
export const OUTPUT_PARCEL_BYTES_MAX = 32 * 1024;
export const OUTPUT_PARCEL_MS_MAX = 200;

/** Entries of a scratch folder; what each costs beside its name and content; the least that a file that holds anything takes. */
export const SCRATCH_ENTRIES_MAX = 10_000;
export const SCRATCH_ENTRY_BYTES = 256;
export const SCRATCH_FILE_BYTES_MIN = 512;
/** A path may not be so deep that walking it costs more than its file. */
export const PATH_DEPTH_MAX = 64;

/** Open file descriptors of one instance. */
export const DESCRIPTORS_MAX = 64;
export const PATH_BYTES_MAX = 4096;
/** Scatter/gather parts of one read or write: IOV_MAX of most systems. */
export const IO_VECTORS_MAX = 1024;
export const POLL_SUBSCRIPTIONS_MAX = 64;
/** Sleeps of at least this long are handed to the main thread, so that the run counts as waiting. */
export const SLEEP_HANDOVER_MS = 2;
/** The longest timer every runtime supports. */
export const TIMER_MS_MAX = 2_147_483_647;

/** Making a guest ready takes some milliseconds; an executor that has not done it by now is broken. */
export const PREPARE_MS_MAX = 10_000;
/** A run that computes for longer no longer counts against the concurrency: it must not hold up the runs that wait. */
export const LONG_RUN_MS = 500;

/** Guests an executor keeps instantiated; beyond that the least recently used one is forgotten. */
export const ADOPTED_GUESTS_MAX = 16;
/** Memory images with packages (package-images.ts): so many, so large together, and so much memory and time to make one. */
export const PACKAGE_IMAGES_MAX = 4;
export const PACKAGE_IMAGES_BYTES_MAX = 64 * 1024 * 1024;
export const MAKING_MEMORY_BYTES_MAX = 256 * 1024 * 1024;
export const MAKING_MS_MAX = 10_000;
/** A guest that would start while its image is made waits so long for it: importing the same once more costs as much. */
export const MAKING_WAIT_MS_MAX = 1_000;
/** Sets of imports of which it is known that no image is to be made. */
export const UNIMAGED_SETS_MAX = 1_000;
/** Images with packages that an executor process keeps beside the interpreter's own. */
export const PROCESS_IMAGES_MAX = 2;
/** What one import may say of the environment. */
export const MADE_IMAGE_NAMES_MAX = 1_000;
/** Memory may stay this much larger than the image after a reset (design §8.8). */
export const RESET_GROWTH_BYTES_MAX = 16 * 1024 * 1024;

/** Warm-up of the compiled code: short calls, because V8 swaps in optimised code only between calls (design §4). */
export const WARM_UP_CALLS_MAX = 60;
export const WARM_UP_MS = 200;

/** The defaults of `PluginRuntimeOptions`. */
export const CLOCK_RESOLUTION_NS = 1_000n;
export const EXECUTORS_MAX = 32;
/** A process takes some 60 MB where a thread takes 9. */
export const EXECUTOR_PROCESSES_MAX = 8;
export const EXECUTOR_PROCESS_NICENESS = 5;
/** A trigger whose runs had to be ended by force so many times gets executors of its own; so many triggers are remembered. */
export const QUARANTINE_TERMINATIONS = 3;
export const TERMINATED_TRIGGERS_MAX = 10_000;
export const EXECUTOR_IDLE_MS = 10_000;
export const HARD_STOP_GRACE_MS = 250;
export const TERMINATE_GRACE_MS = 1_000;
/** How often a running call is checked for a request whose notification got lost. */
export const DOORBELL_CHECK_MS = 250;
/** How long an executor may take to start; a machine under full load needs seconds. */
export const EXECUTOR_START_MS_MAX = 30_000;
