/* Host calls for runtime-wasm/python: arguments are already of the right Python types, answers are checked before use, and
   a refusal becomes the Python exception that its kind names (spec: processing-engine §11). */
#include "host-module.h"
#include "poll-hook.h"
#include "row-decoder.h"
#include <stdlib.h>

/* result<X, host-error>, where X is nothing, list<u8>, option<list<u8>>, bool or u32 */
typedef struct {
    uint8_t failed;
    union {
        struct { uint8_t kind; abi_text message; } error;
        abi_bytes bytes;
        struct { uint8_t present; abi_bytes value; } optional;
        uint8_t flag;
        uint32_t number;
    } as;
} host_result;
_Static_assert(sizeof(host_result) == 16 && offsetof(host_result, as) == 4, "layout of the results of host calls");

enum { KIND_QUERY, KIND_WRITE, KIND_TYPE, KIND_VALUE, KIND_DENIED, KIND_LIMIT, KIND_INTERRUPTED, KIND_INTERNAL, KIND_NETWORK };

GUEST_IMPORT("log") extern void host_log(int32_t level, const char *text, uint32_t text_len, host_result *result);
GUEST_IMPORT("query")
extern void host_query(const char *sql, uint32_t sql_len, const abi_named_text *arguments, uint32_t arguments_len,
                       int32_t has_database, const char *database, uint32_t database_len, host_result *result);
GUEST_IMPORT("write-sync")
extern void host_write_sync(int32_t has_database, const char *database, uint32_t database_len, const char *lines,
                            uint32_t lines_len, int32_t no_sync, host_result *result);
GUEST_IMPORT("global-cache-put")
extern void host_global_cache_put(const char *key, uint32_t key_len, const void *value, uint32_t value_len, int32_t has_ttl,
                                  double ttl, host_result *result);
GUEST_IMPORT("global-cache-get") extern void host_global_cache_get(const char *key, uint32_t key_len, host_result *result);
GUEST_IMPORT("global-cache-delete") extern void host_global_cache_delete(const char *key, uint32_t key_len, host_result *result);

GUEST_IMPORT("check-grant") extern void host_check_grant(int32_t grant, const char *subject, uint32_t subject_len, host_result *result);
GUEST_IMPORT("exceeded") extern void host_exceeded(int32_t limit, host_result *result);
GUEST_IMPORT("system-metrics") extern void host_system_metrics(const char *group, uint32_t group_len, host_result *result);

GUEST_IMPORT("net-resolve") extern void host_net_resolve(const char *host, uint32_t host_len, uint32_t port, host_result *result);
GUEST_IMPORT("net-open") extern void host_net_open(const char *address, uint32_t address_len, uint32_t port, host_result *result);
GUEST_IMPORT("net-open-tls") extern void host_net_open_tls(const void *settings, uint32_t settings_len, host_result *result);
GUEST_IMPORT("net-start-tls") extern void host_net_start_tls(uint32_t connection, const void *settings, uint32_t settings_len, host_result *result);
GUEST_IMPORT("net-send")
extern void host_net_send(uint32_t connection, const void *data, uint32_t data_len, int32_t has_wait, double wait, host_result *result);
GUEST_IMPORT("net-receive")
extern void host_net_receive(uint32_t connection, uint32_t bytes_max, int32_t has_wait, double wait, host_result *result);
GUEST_IMPORT("net-wait")
extern void host_net_wait(const void *interests, uint32_t interests_len, int32_t has_wait, double wait, host_result *result);
GUEST_IMPORT("net-describe") extern void host_net_describe(uint32_t connection, host_result *result);
GUEST_IMPORT("net-close") extern void host_net_close(uint32_t connection, int32_t direction, host_result *result);
GUEST_IMPORT("net-feed") extern void host_net_feed(uint32_t connection, const void *data, uint32_t data_len, host_result *result);
GUEST_IMPORT("net-drain") extern void host_net_drain(uint32_t connection, host_result *result);

static PyObject *query_error, *resource_limit_error, *run_cancelled, *network_error;

static PyObject *exception_of_kind(uint8_t kind) {
    switch (kind) {
    case KIND_QUERY: return query_error;
    case KIND_WRITE: return PyExc_Exception;
    case KIND_TYPE: return PyExc_TypeError;
    case KIND_VALUE: return PyExc_ValueError;
    case KIND_DENIED: return PyExc_PermissionError;
    case KIND_LIMIT: return resource_limit_error;
    case KIND_INTERRUPTED: return run_cancelled;
    case KIND_NETWORK: return network_error;
    default: return PyExc_RuntimeError;
    }
}

/* True: the call succeeded. False: its exception is set. */
static bool succeeded(host_result *result) {
    if (result->failed == 0) return true;
    PyObject *message = take_text(result->as.error.message);
    if (message != NULL) PyErr_SetObject(exception_of_kind(result->as.error.kind), message);
    Py_XDECREF(message);
    return false;
}

/* UTF-8 of a str, or of None (`*present` 0); the bytes belong to the str. */
static bool borrow_text(PyObject *object, int32_t *present, const char **text, uint32_t *len) {
    Py_ssize_t size = 0;
    *present = object != Py_None;
    *text = *present ? PyUnicode_AsUTF8AndSize(object, &size) : "";
    *len = (uint32_t)size;
    return *text != NULL;
}

static PyObject *none_or_error(host_result *result) {
    if (!succeeded(result)) return NULL;
    Py_RETURN_NONE;
}

static PyObject *bytes_or_error(host_result *result) {
    if (!succeeded(result)) return NULL;
    return take_bytes(result->as.bytes);
}

static PyObject *optional_bytes_or_error(host_result *result) {
    if (!succeeded(result)) return NULL;
    if (!result->as.optional.present) Py_RETURN_NONE;
    return take_bytes(result->as.optional.value);
}

static PyObject *number_or_error(host_result *result) {
    if (!succeeded(result)) return NULL;
    return PyLong_FromUnsignedLong(result->as.number);
}

static PyObject *module_log(PyObject *module, PyObject *arguments) {
    int level;
    const char *text;
    Py_ssize_t size;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "is#:log", &level, &text, &size)) return NULL;
    host_log(level, text, (uint32_t)size, &result);
    return none_or_error(&result);
}

/* A dict[str, str] as an array that borrows its texts; free() it. NULL: an exception is set. */
static abi_named_text *borrow_named_texts(PyObject *texts, uint32_t *count) {
    abi_named_text *array = calloc(PyDict_GET_SIZE(texts) + 1, sizeof(abi_named_text));
    PyObject *name, *value;
    Py_ssize_t position = 0;
    *count = 0;
    if (array == NULL) return (abi_named_text *)PyErr_NoMemory();
    while (PyDict_Next(texts, &position, &name, &value)) {
        abi_named_text *item = &array[(*count)++];
        int32_t present;
        if (!borrow_text(name, &present, (const char **)&item->name.ptr, &item->name.len) ||
            !borrow_text(value, &present, (const char **)&item->value.ptr, &item->value.len)) {
            free(array);
            return NULL;
        }
    }
    return array;
}

static PyObject *module_query(PyObject *module, PyObject *arguments) {
    const char *sql, *database;
    Py_ssize_t sql_size;
    PyObject *parameters, *database_object;
    int32_t has_database;
    uint32_t parameter_count, database_len;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "s#O!O:query", &sql, &sql_size, &PyDict_Type, &parameters, &database_object)) return NULL;
    if (!borrow_text(database_object, &has_database, &database, &database_len)) return NULL;
    abi_named_text *array = borrow_named_texts(parameters, &parameter_count);
    if (array == NULL) return NULL;
    host_query(sql, (uint32_t)sql_size, array, parameter_count, has_database, database, database_len, &result);
    free(array);
    if (!succeeded(&result)) return NULL;
    PyObject *rows = decode_rows(NULL, &result.as.bytes, 1, false);
    if (result.as.bytes.len != 0) free(result.as.bytes.ptr);
    return rows;
}

static PyObject *module_write_sync(PyObject *module, PyObject *arguments) {
    PyObject *database_object;
    const char *database, *lines;
    Py_ssize_t lines_size;
    int no_sync;
    int32_t has_database;
    uint32_t database_len;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "Os#p:write_sync", &database_object, &lines, &lines_size, &no_sync)) return NULL;
    if (!borrow_text(database_object, &has_database, &database, &database_len)) return NULL;
    host_write_sync(has_database, database, database_len, lines, (uint32_t)lines_size, no_sync, &result);
    return none_or_error(&result);
}

static PyObject *module_global_cache_put(PyObject *module, PyObject *arguments) {
    const char *key, *value;
    Py_ssize_t key_size, value_size;
    PyObject *ttl_object;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "s#y#O:global_cache_put", &key, &key_size, &value, &value_size, &ttl_object)) return NULL;
    double ttl = ttl_object == Py_None ? 0 : PyFloat_AsDouble(ttl_object);
    if (PyErr_Occurred()) return NULL;
    host_global_cache_put(key, (uint32_t)key_size, value, (uint32_t)value_size, ttl_object != Py_None, ttl, &result);
    return none_or_error(&result);
}

static PyObject *module_global_cache_get(PyObject *module, PyObject *key_object) {
    Py_ssize_t size;
    const char *key = PyUnicode_AsUTF8AndSize(key_object, &size);
    host_result result;
    if (key == NULL) return NULL;
    host_global_cache_get(key, (uint32_t)size, &result);
    return optional_bytes_or_error(&result);
}

static PyObject *module_global_cache_delete(PyObject *module, PyObject *key_object) {
    Py_ssize_t size;
    const char *key = PyUnicode_AsUTF8AndSize(key_object, &size);
    host_result result;
    if (key == NULL) return NULL;
    host_global_cache_delete(key, (uint32_t)size, &result);
    if (!succeeded(&result)) return NULL;
    return PyBool_FromLong(result.as.flag);
}

/* check_grant(grant: int, subject: str): PermissionError unless the trigger has it. */
static PyObject *module_check_grant(PyObject *module, PyObject *arguments) {
    int grant;
    const char *subject;
    Py_ssize_t size;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "is#:check_grant", &grant, &subject, &size)) return NULL;
    host_check_grant(grant, subject, (uint32_t)size, &result);
    return none_or_error(&result);
}

/* exceeded(limit: int): raises ResourceLimitError with the host's sentence. */
static PyObject *module_exceeded(PyObject *module, PyObject *limit_object) {
    int limit = PyLong_AsInt(limit_object);
    host_result result;
    if (limit == -1 && PyErr_Occurred()) return NULL;
    host_exceeded(limit, &result);
    return none_or_error(&result);
}

static PyObject *module_system_metrics(PyObject *module, PyObject *group_object) {
    Py_ssize_t size;
    const char *group = PyUnicode_AsUTF8AndSize(group_object, &size);
    host_result result;
    if (group == NULL) return NULL;
    host_system_metrics(group, (uint32_t)size, &result);
    return bytes_or_error(&result);
}

/* ---- network: runtime-wasm/python/net is the one caller ---- */

/* Seconds to wait; None (`*present` 0) waits as long as the run may. False: an exception is set. */
static bool read_wait(PyObject *object, int32_t *present, double *seconds) {
    *present = object != Py_None;
    *seconds = *present ? PyFloat_AsDouble(object) : 0;
    return PyErr_Occurred() == NULL;
}

static PyObject *module_net_resolve(PyObject *module, PyObject *arguments) {
    const char *host;
    Py_ssize_t size;
    unsigned short port;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "s#H:net_resolve", &host, &size, &port)) return NULL;
    host_net_resolve(host, (uint32_t)size, port, &result);
    return bytes_or_error(&result);
}

static PyObject *module_net_open(PyObject *module, PyObject *arguments) {
    const char *address;
    Py_ssize_t size;
    unsigned short port;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "s#H:net_open", &address, &size, &port)) return NULL;
    host_net_open(address, (uint32_t)size, port, &result);
    return number_or_error(&result);
}

static PyObject *module_net_open_tls(PyObject *module, PyObject *arguments) {
    Py_buffer settings;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "y*:net_open_tls", &settings)) return NULL;
    host_net_open_tls(settings.buf, (uint32_t)settings.len, &result);
    PyBuffer_Release(&settings);
    return number_or_error(&result);
}

static PyObject *module_net_start_tls(PyObject *module, PyObject *arguments) {
    unsigned int connection;
    Py_buffer settings;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "Iy*:net_start_tls", &connection, &settings)) return NULL;
    host_net_start_tls(connection, settings.buf, (uint32_t)settings.len, &result);
    PyBuffer_Release(&settings);
    return none_or_error(&result);
}

static PyObject *module_net_send(PyObject *module, PyObject *arguments) {
    unsigned int connection;
    Py_buffer data;
    PyObject *wait;
    int32_t has_wait;
    double seconds;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "Iy*O:net_send", &connection, &data, &wait)) return NULL;
    bool is_valid = read_wait(wait, &has_wait, &seconds);
    if (is_valid) host_net_send(connection, data.buf, (uint32_t)data.len, has_wait, seconds, &result);
    PyBuffer_Release(&data);
    return is_valid ? number_or_error(&result) : NULL;
}

static PyObject *module_net_receive(PyObject *module, PyObject *arguments) {
    unsigned int connection, bytes_max;
    PyObject *wait;
    int32_t has_wait;
    double seconds;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "IIO:net_receive", &connection, &bytes_max, &wait)) return NULL;
    if (!read_wait(wait, &has_wait, &seconds)) return NULL;
    host_net_receive(connection, bytes_max, has_wait, seconds, &result);
    return optional_bytes_or_error(&result);
}

static PyObject *module_net_wait(PyObject *module, PyObject *arguments) {
    Py_buffer interests;
    PyObject *wait;
    int32_t has_wait;
    double seconds;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "y*O:net_wait", &interests, &wait)) return NULL;
    bool is_valid = read_wait(wait, &has_wait, &seconds);
    if (is_valid) host_net_wait(interests.buf, (uint32_t)interests.len, has_wait, seconds, &result);
    PyBuffer_Release(&interests);
    return is_valid ? bytes_or_error(&result) : NULL;
}

static PyObject *module_net_describe(PyObject *module, PyObject *arguments) {
    unsigned int connection;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "I:net_describe", &connection)) return NULL;
    host_net_describe(connection, &result);
    return bytes_or_error(&result);
}

static PyObject *module_net_close(PyObject *module, PyObject *arguments) {
    unsigned int connection;
    int direction;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "Ii:net_close", &connection, &direction)) return NULL;
    host_net_close(connection, direction, &result);
    return none_or_error(&result);
}

static PyObject *module_net_feed(PyObject *module, PyObject *arguments) {
    unsigned int connection;
    Py_buffer data;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "Iy*:net_feed", &connection, &data)) return NULL;
    host_net_feed(connection, data.buf, (uint32_t)data.len, &result);
    PyBuffer_Release(&data);
    return none_or_error(&result);
}

static PyObject *module_net_drain(PyObject *module, PyObject *arguments) {
    unsigned int connection;
    host_result result;
    if (!PyArg_ParseTuple(arguments, "I:net_drain", &connection)) return NULL;
    host_net_drain(connection, &result);
    return bytes_or_error(&result);
}

/* decode_rows(columns: tuple[str] | None, batch: bytes, sparse: bool) */
static PyObject *module_decode_rows(PyObject *module, PyObject *arguments) {
    PyObject *columns;
    Py_buffer bytes;
    int sparse;
    if (!PyArg_ParseTuple(arguments, "Oy*p:decode_rows", &columns, &bytes, &sparse)) return NULL;
    abi_bytes batch = { .ptr = bytes.buf, .len = (uint32_t)bytes.len };
    PyObject *rows = NULL;
    if (columns != Py_None && !PyTuple_Check(columns)) PyErr_SetString(PyExc_TypeError, "columns must be a tuple or None");
    else rows = decode_rows(columns == Py_None ? NULL : columns, &batch, 1, sparse);
    PyBuffer_Release(&bytes);
    return rows;
}

static PyMethodDef methods[] = {
    {"log", module_log, METH_VARARGS, NULL},
    {"query", module_query, METH_VARARGS, NULL},
    {"write_sync", module_write_sync, METH_VARARGS, NULL},
    {"global_cache_put", module_global_cache_put, METH_VARARGS, NULL},
    {"global_cache_get", module_global_cache_get, METH_O, NULL},
    {"global_cache_delete", module_global_cache_delete, METH_O, NULL},
    {"check_grant", module_check_grant, METH_VARARGS, NULL},
    {"exceeded", module_exceeded, METH_O, NULL},
    {"system_metrics", module_system_metrics, METH_O, NULL},
    {"net_resolve", module_net_resolve, METH_VARARGS, NULL},
    {"net_open", module_net_open, METH_VARARGS, NULL},
    {"net_open_tls", module_net_open_tls, METH_VARARGS, NULL},
    {"net_start_tls", module_net_start_tls, METH_VARARGS, NULL},
    {"net_send", module_net_send, METH_VARARGS, NULL},
    {"net_receive", module_net_receive, METH_VARARGS, NULL},
    {"net_wait", module_net_wait, METH_VARARGS, NULL},
    {"net_describe", module_net_describe, METH_VARARGS, NULL},
    {"net_close", module_net_close, METH_VARARGS, NULL},
    {"net_feed", module_net_feed, METH_VARARGS, NULL},
    {"net_drain", module_net_drain, METH_VARARGS, NULL},
    {"decode_rows", module_decode_rows, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = { PyModuleDef_HEAD_INIT, HOST_MODULE_NAME, NULL, -1, methods, NULL, NULL, NULL, NULL };

PyObject *PyInit__tidemark_host(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL || poll_hook_initialize() < 0) return NULL;
    query_error = PyErr_NewException("influxdb3_py_api.QueryError", PyExc_Exception, NULL);
    resource_limit_error = PyErr_NewException("influxdb3_py_api.ResourceLimitError", PyExc_Exception, NULL);
    /* A subclass tells a cancelled run from a plugin's own KeyboardInterrupt; its name is the same on purpose. */
    run_cancelled = PyErr_NewException("influxdb3_py_api.KeyboardInterrupt", PyExc_KeyboardInterrupt, NULL);
    network_error = PyErr_NewException("_tidemark.NetworkError", PyExc_Exception, NULL);
    if (query_error == NULL || network_error == NULL || resource_limit_error == NULL || run_cancelled == NULL) return NULL;
    if (PyModule_AddObjectRef(module, "QueryError", query_error) < 0 ||
        PyModule_AddObjectRef(module, "ResourceLimitError", resource_limit_error) < 0 ||
        PyModule_AddObjectRef(module, "RunCancelled", run_cancelled) < 0 ||
        PyModule_AddObjectRef(module, "NetworkError", network_error) < 0 ||
        PyModule_AddObjectRef(module, "PluginInterrupted", plugin_interrupted_type()) < 0) return NULL;
    return module;
}
