/* Lifting of received values into Python objects and lowering of answers. Sizes come from the host: everything that is
   copied is bounded by its own length field, and Python checks the text encodings. */
#include "canonical-abi.h"
#include <stdlib.h>
#include <string.h>

GUEST_EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t new_size) {
    (void)old_size;
    if (new_size == 0) return (void *)alignment;
    void *memory = realloc(old, new_size);
    if (memory == NULL) __builtin_trap();
    return memory;
}

static void free_sized(void *memory, uint32_t size) {
    if (size != 0) free(memory);
}

void free_text(abi_text text) { free_sized(text.ptr, text.len); }

PyObject *take_text(abi_text text) {
    PyObject *object = PyErr_Occurred() ? NULL : PyUnicode_DecodeUTF8(text.ptr, text.len, NULL);
    free_text(text);
    return object;
}

PyObject *take_bytes(abi_bytes bytes) {
    PyObject *object = PyErr_Occurred() ? NULL : PyBytes_FromStringAndSize((const char *)bytes.ptr, bytes.len);
    free_sized(bytes.ptr, bytes.len);
    return object;
}

PyObject *take_named_texts(abi_named_texts texts) {
    PyObject *result = PyErr_Occurred() ? NULL : PyDict_New();
    for (uint32_t index = 0; index < texts.len; index++) {
        PyObject *name = take_text(texts.ptr[index].name);
        PyObject *value = take_text(texts.ptr[index].value);
        if (result == NULL || name == NULL || value == NULL || PyDict_SetItem(result, name, value) < 0) Py_CLEAR(result);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    free_sized(texts.ptr, texts.len);
    return result;
}

PyObject *take_text_list(abi_text *texts, uint32_t count) {
    PyObject *result = PyErr_Occurred() ? NULL : PyTuple_New(count);
    for (uint32_t index = 0; index < count; index++) {
        PyObject *text = take_text(texts[index]);
        if (text == NULL) Py_CLEAR(result);
        else if (result != NULL) PyTuple_SET_ITEM(result, index, text);
        else Py_DECREF(text);
    }
    free_sized(texts, count);
    return result;
}

PyObject *take_run_context(const abi_run_context *context) {
    PyObject *file_name = take_text(context->plugin.file_name);
    PyObject *source = context->plugin.source.present ? take_text(context->plugin.source.value) : Py_NewRef(Py_None);
    PyObject *module = take_text(context->plugin.module);
    PyObject *revision = PyErr_Occurred() ? NULL : PyLong_FromUnsignedLongLong(context->plugin.revision);
    PyObject *arguments = context->arguments.present ? take_named_texts(context->arguments.value) : Py_NewRef(Py_None);
    PyObject *result = NULL;
    if (!PyErr_Occurred()) result = PyTuple_Pack(5, file_name, source, module, revision, arguments);
    Py_XDECREF(file_name);
    Py_XDECREF(source);
    Py_XDECREF(module);
    Py_XDECREF(revision);
    Py_XDECREF(arguments);
    return result;
}

static bool give_copy(const char *source, Py_ssize_t size, char **ptr, uint32_t *len) {
    *ptr = NULL;
    *len = 0;
    if (size == 0) return true;
    *ptr = malloc(size);
    if (*ptr == NULL) {
        PyErr_NoMemory();
        return false;
    }
    memcpy(*ptr, source, size);
    *len = (uint32_t)size;
    return true;
}

bool give_text(PyObject *text, abi_text *out) {
    Py_ssize_t size;
    out->len = 0;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &size);
    return utf8 != NULL && give_copy(utf8, size, &out->ptr, &out->len);
}

bool give_bytes(PyObject *bytes, abi_bytes *out) {
    char *data;
    Py_ssize_t size;
    out->len = 0;
    return PyBytes_AsStringAndSize(bytes, &data, &size) == 0 && give_copy(data, size, (char **)&out->ptr, &out->len);
}

/* The array of a list with `count` zeroed items, so that a half-filled one can be freed. */
static bool give_array(PyObject *list, size_t item_size, void **ptr, uint32_t *len) {
    *ptr = NULL;
    *len = 0;
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_SystemError, "the entry point's answer is not a list");
        return false;
    }
    Py_ssize_t count = PyList_GET_SIZE(list);
    if (count == 0) return true;
    *ptr = calloc(count, item_size);
    if (*ptr == NULL) {
        PyErr_NoMemory();
        return false;
    }
    *len = (uint32_t)count;
    return true;
}

bool give_writes(PyObject *writes, abi_buffered_writes *out) {
    if (!give_array(writes, sizeof(abi_buffered_write), (void **)&out->ptr, &out->len)) return false;
    for (uint32_t index = 0; index < out->len; index++) {
        abi_buffered_write *write = &out->ptr[index];
        PyObject *database, *lines;
        bool given = PyArg_ParseTuple(PyList_GET_ITEM(writes, index), "OU", &database, &lines) && give_text(lines, &write->lines);
        if (given && database != Py_None) {
            given = give_text(database, &write->database.value);
            write->database.present = 1;
        }
        if (!given) {
            free_writes(*out);
            out->len = 0;
            return false;
        }
    }
    return true;
}

static void free_named_texts(abi_named_texts texts) {
    for (uint32_t index = 0; index < texts.len; index++) {
        free_text(texts.ptr[index].name);
        free_text(texts.ptr[index].value);
    }
    free_sized(texts.ptr, texts.len);
}

static bool give_named_texts(PyObject *texts, abi_named_texts *out) {
    if (!give_array(texts, sizeof(abi_named_text), (void **)&out->ptr, &out->len)) return false;
    for (uint32_t index = 0; index < out->len; index++) {
        PyObject *name, *value;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(texts, index), "UU", &name, &value) || !give_text(name, &out->ptr[index].name) ||
            !give_text(value, &out->ptr[index].value)) {
            free_named_texts(*out);
            out->len = 0;
            return false;
        }
    }
    return true;
}

bool give_response(PyObject *response, abi_response *out) {
    PyObject *headers, *body;
    memset(out, 0, sizeof(*out));
    if (!PyArg_ParseTuple(response, "HOS", &out->status, &headers, &body)) return false;
    if (!give_named_texts(headers, &out->headers)) return false;
    if (give_bytes(body, &out->body)) return true;
    free_response(*out);
    memset(out, 0, sizeof(*out));
    return false;
}

bool give_failure(PyObject *failure, abi_failure *out) {
    PyObject *type_name, *message, *traceback;
    int out_of_memory, interrupted, in_entry_point;
    memset(out, 0, sizeof(*out));
    if (!PyArg_ParseTuple(failure, "UUUppp", &type_name, &message, &traceback, &out_of_memory, &interrupted, &in_entry_point)) return false;
    out->out_of_memory = (uint8_t)out_of_memory;
    out->interrupted = (uint8_t)interrupted;
    out->in_entry_point = (uint8_t)in_entry_point;
    if (give_text(type_name, &out->type_name) && give_text(message, &out->message) && give_text(traceback, &out->traceback)) return true;
    free_failure(*out);
    memset(out, 0, sizeof(*out));
    return false;
}

void free_writes(abi_buffered_writes writes) {
    for (uint32_t index = 0; index < writes.len; index++) {
        if (writes.ptr[index].database.present) free_text(writes.ptr[index].database.value);
        free_text(writes.ptr[index].lines);
    }
    free_sized(writes.ptr, writes.len);
}

void free_response(abi_response response) {
    free_named_texts(response.headers);
    free_sized(response.body.ptr, response.body.len);
}

void free_failure(abi_failure failure) {
    free_text(failure.type_name);
    free_text(failure.message);
    free_text(failure.traceback);
}
