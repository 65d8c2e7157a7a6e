/* The CPython reactor: exports the world `plugin-guest` of runtime-wasm/wit/plugin.wit by its canonical ABI and leads every
   call to runtime-wasm/python/entry.py. An export answers with a pointer to a result that stays valid until its
   cabi_post_ function is called. One call at a time; whatever Python does, an export returns a well-formed result. */
#include "host-module.h"
#include "poll-hook.h"
#include "pristine.h"
#include "row-decoder.h"
#include <stdlib.h>
#include <string.h>

#define ENTRY_MODULE "_tidemark.entry"
/* CPython's 5000 were chosen for wasmtime; V8 has less room on the thread's own stack (4 MiB in a worker of Node) and would
   throw through the guest, where RecursionError is meant. A level takes up to 4 KiB there, the evaluation loop two levels. */
#define C_RECURSION_LEVELS 1000

static PyObject *entry;

/* Text of the current exception, which is cleared; never fails (empty when there is no memory for it). */
static abi_text take_error_text(void) {
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *text = exception == NULL ? NULL : PyObject_Str(exception);
    abi_text result = { NULL, 0 };
    if (text != NULL) give_text(text, &result);
    PyErr_Clear();
    Py_XDECREF(text);
    Py_XDECREF(exception);
    return result;
}

/* The failure of a call that Python itself could not report: an exception of the glue, most often no memory. */
static void give_bare_failure(abi_failure *failure) {
    PyObject *exception = PyErr_GetRaisedException();
    memset(failure, 0, sizeof(*failure));
    if (exception == NULL) return;
    failure->out_of_memory = PyErr_GivenExceptionMatches(exception, PyExc_MemoryError) != 0;
    failure->interrupted = PyErr_GivenExceptionMatches(exception, plugin_interrupted_type()) != 0;
    PyObject *name = PyType_GetQualName(Py_TYPE(exception));
    if (name != NULL) give_text(name, &failure->type_name);
    Py_XDECREF(name);
    PyErr_Clear();
    PyErr_SetRaisedException(exception);
    failure->message = take_error_text();
}

/* Calls a function of the entry module inside a run; steals `arguments`, which may be NULL with an exception set. */
static PyObject *call_entry(const char *name, PyObject *arguments) {
    if (arguments == NULL) return NULL;
    PyObject *function = pristine_restore() ? PyObject_GetAttrString(entry, name) : NULL, *result = NULL;
    if (function != NULL) {
        poll_hook_begin_run();
        result = PyObject_CallObject(function, arguments);
        poll_hook_end_run();
    }
    Py_XDECREF(function);
    Py_DECREF(arguments);
    return result;
}

/* entry.py answers (writes, response or None), or the six parts of a failure. */
static bool is_failure(PyObject *outcome) { return PyTuple_Check(outcome) && PyTuple_GET_SIZE(outcome) == 6; }

static abi_run_result *give_run_result(PyObject *outcome) {
    static abi_run_result result;
    memset(&result, 0, sizeof(result));
    PyObject *writes, *response;
    bool given;
    if (outcome == NULL) given = false;
    else if (is_failure(outcome)) {
        result.failed = 1;
        given = give_failure(outcome, &result.as.failure);
    } else given = PyArg_ParseTuple(outcome, "OO", &writes, &response) && give_writes(writes, &result.as.writes);
    if (!given) {
        result.failed = 1;
        give_bare_failure(&result.as.failure);
    }
    Py_XDECREF(outcome);
    return &result;
}

static void free_run_result(abi_run_result *result) {
    if (result->failed) free_failure(result->as.failure);
    else free_writes(result->as.writes);
}

static abi_text_result *give_text_result(bool succeeded) {
    static abi_text_result result;
    memset(&result, 0, sizeof(result));
    if (!succeeded) {
        result.failed = 1;
        result.message = take_error_text();
    }
    return &result;
}

static abi_text_result *give_text_failure(const char *message) {
    abi_text_result *result = give_text_result(true);
    result->failed = 1;
    result->message.ptr = strdup(message);
    result->message.len = result->message.ptr == NULL ? 0 : (uint32_t)strlen(message);
    return result;
}

/* ---- boot and resume ---- */

static PyStatus start_interpreter(void) {
    PyPreConfig preconfig;
    PyPreConfig_InitIsolatedConfig(&preconfig);
    preconfig.utf8_mode = 1;
    PyStatus status = Py_PreInitialize(&preconfig);
    if (PyStatus_Exception(status)) return status;
    if (PyImport_AppendInittab(HOST_MODULE_NAME, PyInit__tidemark_host) < 0) return PyStatus_NoMemory();
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.write_bytecode = 0;
    config.install_signal_handlers = 0;
    config.pathconfig_warnings = 0;
    config.use_hash_seed = 0;
    config.module_search_paths_set = 1;
    status = PyWideStringList_Append(&config.module_search_paths, L"/lib/python313.zip");
    if (!PyStatus_Exception(status)) status = PyConfig_SetString(&config, &config.home, L"/");
    if (!PyStatus_Exception(status)) status = PyConfig_SetString(&config, &config.executable, L"/python");
    if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (!PyStatus_Exception(status)) PyThreadState_Get()->c_recursion_remaining = C_RECURSION_LEVELS;
    return status;
}

GUEST_EXPORT("boot") abi_text_result *guest_boot(void) {
    if (entry != NULL) return give_text_failure("the interpreter is already running");
    PyStatus status = start_interpreter();
    if (PyStatus_Exception(status)) return give_text_failure(status.err_msg == NULL ? "the interpreter ended" : status.err_msg);
    entry = PyImport_ImportModule(ENTRY_MODULE);
    if (entry == NULL) return give_text_result(false);
    PyObject *done = PyObject_CallMethod(entry, "boot", NULL);
    Py_XDECREF(done);
    return give_text_result(done != NULL && pristine_note());
}

/* A call of the entry module that only may fail. Outside runs: nothing is interrupted. */
static abi_text_result *call_plainly(const char *name) {
    if (entry == NULL) return give_text_failure("the interpreter is not running");
    PyObject *done = PyObject_CallMethod(entry, name, NULL);
    Py_XDECREF(done);
    return give_text_result(done != NULL);
}

GUEST_EXPORT("resume")
abi_text_result *guest_resume(abi_named_text *environment, uint32_t count, uint32_t write_bytes, uint32_t response_bytes, uint32_t cache_bytes) {
    PyObject *variables = take_named_texts((abi_named_texts){ environment, count });
    if (entry == NULL || variables == NULL) {
        Py_XDECREF(variables);
        return entry == NULL ? give_text_failure("the interpreter is not running") : give_text_result(false);
    }
    PyObject *done = PyObject_CallMethod(entry, "resume", "NIII", variables, write_bytes, response_bytes, cache_bytes);
    Py_XDECREF(done);
    return give_text_result(done != NULL);
}

/* Not in the WIT world: exported by the production link only. One short round of what runs usually do, so that the host's
   engine compiles it well before the image is taken; the host calls it some ten times. */
abi_text_result *warm_up(void) { return call_plainly("warm_up"); }

static void free_text_result(abi_text_result *result) { free_text(result->message); }
GUEST_EXPORT("cabi_post_boot") void guest_post_boot(abi_text_result *result) { free_text_result(result); }
GUEST_EXPORT("cabi_post_resume") void guest_post_resume(abi_text_result *result) { free_text_result(result); }

/* ---- runs ---- */

static void free_batches(const abi_table_rows *table) {
    for (uint32_t index = 0; index < table->batches.len; index++) {
        if (table->batches.ptr[index].len != 0) free(table->batches.ptr[index].ptr);
    }
    if (table->batches.len != 0) free(table->batches.ptr);
}

/* {"table_name": str, "rows": list[dict]}; frees everything the table owns. */
static PyObject *take_table(const abi_table_rows *table, bool sparse) {
    PyObject *name = take_text(table->table_name);
    PyObject *columns = take_text_list(table->columns.ptr, table->columns.len);
    PyObject *rows = columns == NULL ? NULL : decode_rows(columns, table->batches.ptr, table->batches.len, sparse);
    PyObject *result = NULL;
    free_batches(table);
    if (name != NULL && rows != NULL) result = Py_BuildValue("{sOsO}", "table_name", name, "rows", rows);
    Py_XDECREF(name);
    Py_XDECREF(columns);
    Py_XDECREF(rows);
    return result;
}

static PyObject *take_tables(abi_table_rows *tables, uint32_t count, bool sparse) {
    PyObject *result = PyErr_Occurred() ? NULL : PyList_New(0);
    for (uint32_t index = 0; index < count; index++) {
        PyObject *table = take_table(&tables[index], sparse);
        if (table == NULL || result == NULL || PyList_Append(result, table) < 0) Py_CLEAR(result);
        Py_XDECREF(table);
    }
    if (count != 0) free(tables);
    return result;
}

/* (context..., extra...) for an entry function; steals both, NULL when one of them is. */
static PyObject *join_arguments(PyObject *context, PyObject *extra) {
    PyObject *joined = context == NULL || extra == NULL ? NULL : PySequence_Concat(context, extra);
    Py_XDECREF(context);
    Py_XDECREF(extra);
    return joined;
}

#define CONTEXT_PARAMETERS                                                                                                       \
    char *file_name, uint32_t file_name_len, uint32_t has_source, char *source, uint32_t source_len, char *module,               \
        uint32_t module_len, uint64_t revision, uint32_t has_arguments, abi_named_text *arguments, uint32_t arguments_len,       \
        uint32_t sparse_rows
#define CONTEXT                                                                                                                  \
    ((abi_run_context){ .plugin = { .file_name = { file_name, file_name_len },                                                   \
                                    .source = { (uint8_t)has_source, { source, source_len } },                                   \
                                    .module = { module, module_len },                                                            \
                                    .revision = revision },                                                                      \
                        .arguments = { (uint8_t)has_arguments, { arguments, arguments_len } },                                   \
                        .sparse_rows = (uint8_t)sparse_rows })

GUEST_EXPORT("process-writes") abi_run_result *guest_process_writes(CONTEXT_PARAMETERS, abi_table_rows *tables, uint32_t count) {
    PyObject *context = take_run_context(&CONTEXT);
    PyObject *batches = take_tables(tables, count, sparse_rows != 0);
    PyObject *extra = batches == NULL ? NULL : PyTuple_Pack(1, batches);
    Py_XDECREF(batches);
    return give_run_result(call_entry("process_writes", join_arguments(context, extra)));
}

GUEST_EXPORT("process-scheduled-call") abi_run_result *guest_process_scheduled_call(CONTEXT_PARAMETERS, int64_t call_time_seconds) {
    PyObject *context = take_run_context(&CONTEXT);
    PyObject *extra = context == NULL ? NULL : Py_BuildValue("(L)", call_time_seconds);
    return give_run_result(call_entry("process_scheduled_call", join_arguments(context, extra)));
}

static void free_request_result(abi_request_result *result) {
    if (result->failed) {
        free_failure(result->as.failure);
        return;
    }
    free_response(result->as.done.response);
    free_writes(result->as.done.writes);
}

static abi_request_result *give_request_result(PyObject *outcome) {
    static abi_request_result result;
    memset(&result, 0, sizeof(result));
    PyObject *writes, *response;
    bool given = false;
    if (outcome != NULL && is_failure(outcome)) {
        result.failed = 1;
        given = give_failure(outcome, &result.as.failure);
    } else if (outcome != NULL && PyArg_ParseTuple(outcome, "OO", &writes, &response)) {
        given = give_response(response, &result.as.done.response) && give_writes(writes, &result.as.done.writes);
        if (!given) free_response(result.as.done.response);
    }
    if (!given) {
        result.failed = 1;
        give_bare_failure(&result.as.failure);
    }
    Py_XDECREF(outcome);
    return &result;
}

GUEST_EXPORT("process-request") abi_request_result *guest_process_request(abi_request_parameters *parameters) {
    abi_request_parameters owned = *parameters;
    free(parameters);
    PyObject *context = take_run_context(&owned.context);
    PyObject *query = take_named_texts(owned.request.query);
    PyObject *headers = take_named_texts(owned.request.headers);
    PyObject *body = take_bytes(owned.request.body);
    PyObject *extra = body == NULL || headers == NULL || query == NULL ? NULL : PyTuple_Pack(3, query, headers, body);
    Py_XDECREF(query);
    Py_XDECREF(headers);
    Py_XDECREF(body);
    return give_request_result(call_entry("process_request", join_arguments(context, extra)));
}

GUEST_EXPORT("cabi_post_process-writes") void guest_post_writes(abi_run_result *result) { free_run_result(result); }
GUEST_EXPORT("cabi_post_process-scheduled-call") void guest_post_schedule(abi_run_result *result) { free_run_result(result); }
GUEST_EXPORT("cabi_post_process-request") void guest_post_request(abi_request_result *result) { free_request_result(result); }

/* ---- private cache ---- */

GUEST_EXPORT("cache-size") uint32_t guest_cache_size(void) {
    PyObject *size = entry == NULL ? NULL : PyObject_CallMethod(entry, "cache_size", NULL);
    unsigned long count = size == NULL ? 0 : PyLong_AsUnsignedLong(size);
    Py_XDECREF(size);
    if (PyErr_Occurred() == NULL) return (uint32_t)count;
    PyErr_Clear();
    return 0;
}

GUEST_EXPORT("cache-merge") abi_text_result *guest_cache_merge(uint8_t *ptr, uint32_t len) {
    PyObject *changes = take_bytes((abi_bytes){ ptr, len });
    PyObject *done = call_entry("cache_merge", changes == NULL ? NULL : PyTuple_Pack(1, changes));
    Py_XDECREF(changes);
    Py_XDECREF(done);
    return give_text_result(done != NULL);
}

GUEST_EXPORT("cabi_post_cache-merge") void guest_post_cache_merge(abi_text_result *result) { free_text_result(result); }

/* Inside a run: encoding a large cache takes time, which is the plugin's. */
GUEST_EXPORT("cache-changes") abi_bytes *guest_cache_changes(void) {
    static abi_bytes result;
    memset(&result, 0, sizeof(result));
    PyObject *changes = entry == NULL ? NULL : call_entry("cache_changes", PyTuple_New(0));
    if (changes == NULL || !give_bytes(changes, &result)) PyErr_Clear();
    Py_XDECREF(changes);
    return &result;
}

GUEST_EXPORT("cabi_post_cache-changes") void guest_post_cache_changes(abi_bytes *result) {
    if (result->len != 0) free(result->ptr);
}

GUEST_EXPORT("cache-clear") void guest_cache_clear(void) {
    PyObject *done = entry == NULL ? NULL : PyObject_CallMethod(entry, "cache_clear", NULL);
    Py_XDECREF(done);
    PyErr_Clear();
}
