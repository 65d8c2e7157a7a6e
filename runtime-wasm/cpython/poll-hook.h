/* How a run is interrupted while the interpreter computes; the counterpart of poll-hook.patch. */
#ifndef TIDEMARK_POLL_HOOK_H
#define TIDEMARK_POLL_HOOK_H

#include "canonical-abi.h"

/* Makes PluginInterrupted; -1 with an exception set. */
int poll_hook_initialize(void);
/* The class that leaves the interpreter when the host's `poll` answers true: a BaseException, `except Exception` does not
   catch it. A borrowed reference. */
PyObject *plugin_interrupted_type(void);
/* From here the host is polled and may interrupt. */
void poll_hook_begin_run(void);
/* Polling goes on, interruptions are no longer raised; one that is pending is dropped. */
void poll_hook_end_run(void);

#endif
