// The attacks in executor processes: those that have to do with stopping, with memory and with what crosses the pipes. All of
// them with TIDEMARK_ZOO=all; the interpreter and the engine's meters are the same as in zoo.test.ts.
import { describeZoo } from "./zoo-suite.ts";
import { names } from "./zoo-files.ts";

const CRITICAL = [
  "exit_abort", "exit_os", "flood_calls", "flood_write_forged", "host_forged_batches", "host_malformed", "host_reentrant", "host_result_forged",
  "loop_c_sort", "loop_c_sum", "loop_itertools", "loop_python", "loop_swallow", "memory_bytearray", "memory_swallow", "network_feeds", "network_left_open", "network_waits", "patch_glue_loops",
  "recursion_python", "response_forged", "sleep_for_ever",
];

describeZoo("process", process.env["TIDEMARK_ZOO"] === "all" ? names : CRITICAL);
