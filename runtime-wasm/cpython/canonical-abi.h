/* Memory layouts that the component model's canonical ABI gives the types of runtime-wasm/wit/plugin.wit on wasm32.
   Whoever receives a value owns its memory (allocated through cabi_realloc, that is malloc) and frees it; a length of 0
   owns nothing, whatever its pointer says. */
#ifndef TIDEMARK_CANONICAL_ABI_H
#define TIDEMARK_CANONICAL_ABI_H

#define PY_SSIZE_T_CLEAN
#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include "Python.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_IMPORT(name) __attribute__((import_module("tidemark:plugin/host@1.0.0"), import_name(name)))
#define GUEST_EXPORT(name) __attribute__((export_name(name), visibility("default")))

typedef struct { char *ptr; uint32_t len; } abi_text;
typedef struct { uint8_t *ptr; uint32_t len; } abi_bytes;
typedef struct { uint8_t present; abi_text value; } abi_optional_text;
typedef struct { abi_text name; abi_text value; } abi_named_text;
typedef struct { abi_named_text *ptr; uint32_t len; } abi_named_texts;
typedef struct { uint8_t present; abi_named_texts value; } abi_optional_named_texts;

typedef struct {
    abi_text file_name;
    abi_optional_text source;
    abi_text module;
    uint64_t revision;
} abi_plugin_code;

typedef struct {
    abi_plugin_code plugin;
    abi_optional_named_texts arguments;
    uint8_t sparse_rows;
} abi_run_context;

typedef struct {
    abi_text table_name;
    struct { abi_text *ptr; uint32_t len; } columns;
    struct { abi_bytes *ptr; uint32_t len; } batches;
} abi_table_rows;

typedef struct { abi_named_texts query; abi_named_texts headers; abi_bytes body; } abi_request;
typedef struct { abi_run_context context; abi_request request; } abi_request_parameters;

typedef struct { abi_optional_text database; abi_text lines; } abi_buffered_write;
typedef struct { abi_buffered_write *ptr; uint32_t len; } abi_buffered_writes;
typedef struct { uint16_t status; abi_named_texts headers; abi_bytes body; } abi_response;

typedef struct {
    abi_text type_name;
    abi_text message;
    abi_text traceback;
    uint8_t out_of_memory;
    uint8_t interrupted;
    uint8_t in_entry_point;
} abi_failure;

/* result<_, string> */
typedef struct { uint8_t failed; abi_text message; } abi_text_result;
/* result<list<buffered-write>, failure> */
typedef struct { uint8_t failed; union { abi_buffered_writes writes; abi_failure failure; } as; } abi_run_result;
/* result<tuple<response, list<buffered-write>>, failure> */
typedef struct {
    uint8_t failed;
    union { struct { abi_response response; abi_buffered_writes writes; } done; abi_failure failure; } as;
} abi_request_result;

_Static_assert(sizeof(abi_run_context) == 56 && sizeof(abi_request_parameters) == 80, "layout of the parameters");
_Static_assert(offsetof(abi_run_context, arguments) == 40 && offsetof(abi_run_context, sparse_rows) == 52, "layout of run-context");
_Static_assert(sizeof(abi_table_rows) == 24 && sizeof(abi_buffered_write) == 20, "layout of the lists");
_Static_assert(sizeof(abi_failure) == 28 && sizeof(abi_run_result) == 32 && sizeof(abi_request_result) == 32, "layout of the results");

/* Each `take_` function turns a received value into a new Python object and frees the value's memory, also when it fails
   or an exception is already set (then the answer is NULL). */
PyObject *take_text(abi_text text);
PyObject *take_bytes(abi_bytes bytes);
/* A dict; the last of equal names wins. */
PyObject *take_named_texts(abi_named_texts texts);
/* A tuple of str. */
PyObject *take_text_list(abi_text *texts, uint32_t count);
/* (file name, source or None, module, revision, arguments dict or None) */
PyObject *take_run_context(const abi_run_context *context);

/* The answers of runtime-wasm/python/entry.py, lowered; false: an exception is set and `out` owns nothing. */
bool give_text(PyObject *text, abi_text *out);
bool give_bytes(PyObject *bytes, abi_bytes *out);
bool give_writes(PyObject *writes, abi_buffered_writes *out);
bool give_response(PyObject *response, abi_response *out);
bool give_failure(PyObject *failure, abi_failure *out);

void free_text(abi_text text);
void free_writes(abi_buffered_writes writes);
void free_response(abi_response response);
void free_failure(abi_failure failure);

#endif
