/* The guest's row decoder (../cpython/row-decoder.c), built for this machine with AddressSanitizer, undefined-behaviour checks
   and libFuzzer around a native CPython of the same version. Every input is a control word and one to three batches; each
   batch lies in a heap block of exactly its size, every object of Python's too, so that one byte too far ends the run. An input
   must give rows that can be walked, or an exception; allocations fail at a place that the input chooses, and beyond a budget. */
#define TIDEMARK_CANONICAL_ABI_H /* its layouts are those of wasm32 */
#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE 1
#include "Python.h"
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
typedef struct { uint8_t *ptr; uint32_t len; } abi_bytes;
#include "../cpython/row-decoder.c"

#define BATCHES_MAX 3
#define CONTROL_BYTES 4
/* What one input may allocate. */
#define BUDGET_BYTES (256u << 10)
/* What Python's free lists and tables may have grown by since the first inputs; more is a leak. */
#define WARM_INPUTS 10000u
#define GROWTH_BYTES_MAX (256u << 10)

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static size_t allocated, budget_end = SIZE_MAX;
static uint32_t until_failure; /* 0: none */

static bool refuses(size_t size) {
    if (until_failure != 0 && --until_failure == 0) return true;
    return size > BUDGET_BYTES || allocated + size > budget_end;
}

static void *counted(void *block) {
    if (block != NULL) allocated += malloc_usable_size(block);
    return block;
}

static void *budget_malloc(void *context, size_t size) { return refuses(size) ? NULL : counted(malloc(size ? size : 1)); }
static void *budget_calloc(void *context, size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) return NULL;
    return refuses(count * size) ? NULL : counted(calloc(count ? count : 1, size ? size : 1));
}
static void budget_free(void *context, void *block) {
    if (block != NULL) allocated -= malloc_usable_size(block);
    free(block);
}
static void *budget_realloc(void *context, void *block, size_t size) {
    if (refuses(size)) return NULL;
    size_t before = block == NULL ? 0 : malloc_usable_size(block);
    void *moved = realloc(block, size ? size : 1);
    if (moved == NULL) return NULL;
    allocated -= before;
    return counted(moved);
}

static PyObject *columns_of[4]; /* by the control word: the batch's own, all names, some, none */

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    PyPreConfig preconfig;
    PyPreConfig_InitIsolatedConfig(&preconfig);
    Py_PreInitialize(&preconfig);
    PyMemAllocatorEx budget = { NULL, budget_malloc, budget_calloc, budget_realloc, budget_free };
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &budget);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &budget);
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.module_search_paths_set = 1;
    PyWideStringList_Append(&config.module_search_paths, Py_DecodeLocale(getenv("FUZZ_PYTHON_LIBRARY"), NULL));
    PyStatus status = Py_InitializeFromConfig(&config);
    if (PyStatus_Exception(status)) Py_ExitStatusException(status);
    PyConfig_Clear(&config);
    columns_of[1] = Py_BuildValue("(sssssss)", "host", "value", "count", "total", "text", "ok", "time");
    columns_of[2] = Py_BuildValue("(sss)", "time", "host", "value");
    columns_of[3] = PyTuple_New(0);
    return 0;
}

/* Every key and value of every row is a live object, and a look-up finds what the walk found. */
static void walk(PyObject *rows) {
    for (Py_ssize_t row = 0; row < PyList_GET_SIZE(rows); row++) {
        PyObject *dict = PyList_GET_ITEM(rows, row), *name, *value;
        if (dict == NULL || !PyDict_CheckExact(dict)) abort();
        Py_ssize_t at = 0, seen = 0;
        for (; PyDict_Next(dict, &at, &name, &value); seen++) {
            if (!PyUnicode_CheckExact(name) || Py_REFCNT(value) <= 0) abort();
            if (row < 3 && PyDict_GetItemWithError(dict, name) != value) abort();
        }
        if (seen != PyDict_GET_SIZE(dict)) abort();
    }
}

/* A batch ends where its header says, as far as there are bytes; the last one has all that is left. */
static uint32_t split(const uint8_t *data, size_t size, uint32_t wanted, abi_bytes *batches) {
    uint32_t count = 0;
    do {
        size_t length = size;
        if (count + 1 < wanted && size >= BATCH_HEADER_BYTES && load_u32(data + 4) < size) length = load_u32(data + 4);
        batches[count] = (abi_bytes){ .ptr = malloc(length), .len = (uint32_t)length };
        memcpy(batches[count].ptr, data, length);
        data += length;
        size -= length;
        count++;
    } while (count < wanted && size != 0);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < CONTROL_BYTES) return -1;
    bool sparse = data[0] & 1;
    PyObject *columns = columns_of[(data[0] >> 1) & 3];
    abi_bytes batches[BATCHES_MAX];
    /* Without names there is one batch only. */
    uint32_t count = split(data + CONTROL_BYTES, size - CONTROL_BYTES, columns == NULL ? 1 : 1 + data[1] % BATCHES_MAX, batches);
    budget_end = allocated + BUDGET_BYTES;
    until_failure = data[2] < 192 ? 0 : 1 + load_u16(data + 2) % 1024;
    PyObject *rows = decode_rows(columns, batches, count, sparse);
    until_failure = 0;
    budget_end = SIZE_MAX;
    if ((rows == NULL) != (PyErr_Occurred() != NULL)) abort();
    if (rows != NULL) walk(rows);
    else if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyErr_Print();
        abort();
    }
    PyErr_Clear();
    Py_XDECREF(rows);
    for (uint32_t index = 0; index < count; index++) free(batches[index].ptr);
    if (!PyGC_IsEnabled()) abort();
    static size_t inputs, warm;
    if (++inputs == WARM_INPUTS) warm = allocated;
    if (inputs > WARM_INPUTS && allocated > warm + GROWTH_BYTES_MAX) abort();
    return 0;
}

/* Mostly whole headers, so that what lies behind them is reached; numbers are aligned and rarely random. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed) {
    static const uint32_t edges[] = { 0, 1, 2, 7, 8, 9, 63, 64, 65, 255, 65535, 65536, 67108864, 67108865, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff };
    uint64_t random = seed * 0x9e3779b97f4a7c15u;
    uint32_t kind = random >> 60, edge = edges[(random >> 32) % (sizeof edges / sizeof *edges)];
    if (kind < 6 && size >= CONTROL_BYTES + 8) {
        memcpy(data + CONTROL_BYTES + ((random >> 8) % ((size - CONTROL_BYTES) / 4)) * 4, &edge, 4);
    } else {
        size = LLVMFuzzerMutate(data, size, max_size);
    }
    if (kind % 4 != 0 && size >= CONTROL_BYTES + BATCH_HEADER_BYTES) {
        uint32_t magic = BATCH_MAGIC, total = (uint32_t)(size - CONTROL_BYTES) & ~7u;
        memcpy(data + CONTROL_BYTES, &magic, 4);
        memcpy(data + CONTROL_BYTES + 4, &total, 4);
        size = CONTROL_BYTES + total;
    }
    return size;
}
