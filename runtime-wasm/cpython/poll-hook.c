/* Every POLL_INTERVAL function entries and backward jumps, and now and then in C loops that check for signals, the host is
   asked whether to go on. It may also leave by throwing: nothing here holds state that a restored image would miss. While
   the host keeps saying "stop", a plugin that swallows the interruption gets it again at the next poll. */
#include "poll-hook.h"
#include "internal/pycore_pystate.h"

#define POLL_INTERVAL 20000

GUEST_IMPORT("poll") extern int32_t host_poll(void);

int _Py_wasi_poll_clock = POLL_INTERVAL;
static PyObject *plugin_interrupted;
static bool run_active;

/* Where another thread may write 0 (its bytes are an i32) to have the host polled at the next step. */
int *poll_clock_address(void) { return &_Py_wasi_poll_clock; }

static bool host_wants_stop(void) {
    _Py_wasi_poll_clock = POLL_INTERVAL;
    return host_poll() != 0 && run_active;
}

void _Py_wasi_poll(void) {
    if (host_wants_stop()) PyThreadState_SetAsyncExc(_PyThreadState_GET()->thread_id, plugin_interrupted);
}

int _Py_wasi_poll_in_c_loop(void) {
    if (!host_wants_stop()) return 0;
    PyErr_SetNone(plugin_interrupted);
    return -1;
}

int poll_hook_initialize(void) {
    plugin_interrupted = PyErr_NewException("influxdb3_py_api.PluginInterrupted", PyExc_BaseException, NULL);
    return plugin_interrupted == NULL ? -1 : 0;
}

PyObject *plugin_interrupted_type(void) { return plugin_interrupted; }

void poll_hook_begin_run(void) {
    _Py_wasi_poll_clock = POLL_INTERVAL;
    run_active = true;
}

void poll_hook_end_run(void) {
    run_active = false;
    PyThreadState_SetAsyncExc(_PyThreadState_GET()->thread_id, NULL);
}
