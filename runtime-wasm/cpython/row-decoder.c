/* The fast path of every trigger on writes: each row is a copy of one template dict whose values are then put in place
   column by column, 64 rows at a time, so that a column's bytes and the rows' entries stay in the cache. Strings of a tag
   column are made once and shared. The garbage collector is paused: nothing made here can be in a cycle. */
#include "row-decoder.h"
#include "internal/pycore_dict.h"
#include <string.h>

enum { TYPE_NULL, TYPE_INT64, TYPE_FLOAT64, TYPE_BOOL, TYPE_UTF8, TYPE_TAG, TYPE_UINT64, TYPE_TIME };
#define BATCH_MAGIC 0x31424d54u
#define BATCH_HEADER_BYTES 40u
#define COLUMN_HEADER_BYTES 8u
#define ROWS_MAX 67108864u
#define COLUMNS_MAX 65536u
#define ROWS_PER_PASS 64u
#define NO_KEY UINT32_MAX

typedef struct {
    uint8_t type;
    uint32_t key;            /* position in the template; NO_KEY: a later column has the same name */
    const uint8_t *validity; /* NULL: every row has a value */
    const uint8_t *body;
    const uint8_t *indexes;  /* tag */
    const uint8_t *offsets;  /* utf8, tag */
    const char *text;
    uint32_t text_size;
    PyObject **entries;      /* tag: the dictionary's strings */
    uint32_t entry_count;
} column_view;

typedef struct {
    column_view *columns;
    uint32_t column_count;
    uint32_t row_count;
    uint32_t *owners; /* by key: 1 + the column that fills it, 0: none so far */
} batch_view;

static inline uint32_t load_u16(const uint8_t *at) { uint16_t value; memcpy(&value, at, 2); return value; }
static inline uint32_t load_u32(const uint8_t *at) { uint32_t value; memcpy(&value, at, 4); return value; }
static inline int64_t load_i64(const uint8_t *at) { int64_t value; memcpy(&value, at, 8); return value; }
static inline double load_f64(const uint8_t *at) { double value; memcpy(&value, at, 8); return value; }
static inline uint64_t pad8(uint64_t size) { return (size + 7) & ~(uint64_t)7; }
static inline bool is_present(const uint8_t *validity, uint32_t row) {
    return validity == NULL || ((validity[row >> 3] >> (row & 7)) & 1);
}

static bool damaged(const char *what) {
    PyErr_Format(PyExc_ValueError, "table batch is damaged: %s", what);
    return false;
}

static bool check_header(abi_bytes batch, uint32_t *row_count, uint32_t *column_count) {
    if (batch.len < BATCH_HEADER_BYTES) return damaged("shorter than its header");
    if (load_u32(batch.ptr) != BATCH_MAGIC) return damaged("wrong magic");
    uint32_t size = load_u32(batch.ptr + 4);
    if (size > batch.len || size % 8 != 0 || size < BATCH_HEADER_BYTES) return damaged("wrong size");
    *row_count = load_u32(batch.ptr + 8);
    *column_count = load_u32(batch.ptr + 12);
    if (*row_count > ROWS_MAX || *column_count > COLUMNS_MAX) return damaged("too many rows or columns");
    return true;
}

static bool view_tag_body(column_view *column, uint32_t size, uint32_t row_count) {
    if (size < 4) return damaged("tag column cut off");
    uint32_t entry_count = load_u32(column->body);
    uint64_t text_start = 4 + (uint64_t)row_count * 4 + ((uint64_t)entry_count + 1) * 4;
    if (text_start > size) return damaged("tag column cut off");
    column->indexes = column->body + 4;
    column->offsets = column->indexes + (size_t)row_count * 4;
    column->text = (const char *)column->body + text_start;
    column->text_size = size - (uint32_t)text_start;
    column->entries = PyMem_Calloc(entry_count ? entry_count : 1, sizeof(PyObject *));
    if (column->entries == NULL) {
        PyErr_NoMemory();
        return false;
    }
    column->entry_count = entry_count;
    for (uint32_t index = 0; index < entry_count; index++) {
        uint32_t start = load_u32(column->offsets + (size_t)index * 4), end = load_u32(column->offsets + (size_t)index * 4 + 4);
        if (start > end || end > column->text_size) return damaged("offsets outside the text");
        column->entries[index] = PyUnicode_DecodeUTF8(column->text + start, end - start, NULL);
        if (column->entries[index] == NULL) return false;
    }
    return true;
}

static bool view_body(column_view *column, uint32_t size, uint32_t row_count) {
    switch (column->type) {
    case TYPE_NULL:
        return (size == 0 && column->validity == NULL) || damaged("null column with values");
    case TYPE_BOOL:
        return size == row_count || damaged("wrong size of bool values");
    case TYPE_UTF8: {
        uint64_t text_start = ((uint64_t)row_count + 1) * 4;
        if (text_start > size) return damaged("offsets cut off");
        column->offsets = column->body;
        column->text = (const char *)column->body + text_start;
        column->text_size = size - (uint32_t)text_start;
        return true;
    }
    case TYPE_TAG:
        return view_tag_body(column, size, row_count);
    default:
        return size == (uint64_t)row_count * 8 || damaged("wrong size of 8-byte values");
    }
}

/* Views one column at `*at`, moves `*at` past it and gives its name as a new reference; NULL: an exception is set. */
static PyObject *view_column(const uint8_t **at, const uint8_t *end, uint32_t row_count, column_view *column) {
    const uint8_t *start = *at;
    uint64_t room = (uint64_t)(end - start);
    if (room < COLUMN_HEADER_BYTES) return damaged("column header cut off"), NULL;
    column->type = start[0];
    uint32_t flags = start[1], name_size = load_u16(start + 2), body_size = load_u32(start + 4);
    if (column->type > TYPE_TIME || flags > 1) return damaged("unknown column type"), NULL;
    uint64_t name_end = COLUMN_HEADER_BYTES + pad8(name_size);
    uint64_t validity_end = name_end + (flags ? pad8(((uint64_t)row_count + 7) >> 3) : 0);
    uint64_t body_end = validity_end + pad8(body_size);
    if (body_end > room) return damaged("column cut off"), NULL;
    column->validity = flags ? start + name_end : NULL;
    column->body = start + validity_end;
    *at = start + body_end;
    if (!view_body(column, body_size, row_count)) return NULL;
    return PyUnicode_DecodeUTF8((const char *)start + COLUMN_HEADER_BYTES, name_size, NULL);
}

static void close_batch(batch_view *batch) {
    for (uint32_t index = 0; index < batch->column_count; index++) {
        column_view *column = &batch->columns[index];
        for (uint32_t entry = 0; entry < column->entry_count; entry++) Py_XDECREF(column->entries[entry]);
        PyMem_Free(column->entries);
    }
    PyMem_Free(batch->columns);
    PyMem_Free(batch->owners);
}

/* One column fills a key: fill_full_rows overwrites entries without releasing what was there. */
static bool claim_key(batch_view *batch, uint32_t key, bool open, uint32_t index) {
    uint32_t owner = batch->owners[key];
    if (owner != 0 && !open) return damaged("a column occurs twice");
    if (owner != 0) batch->columns[owner - 1].key = NO_KEY;
    batch->owners[key] = index + 1;
    batch->columns[index].key = key;
    return true;
}

/* Position of `name` among the keys. In an open set of keys (a query's result) a new name is added at the end. */
static bool place_column(PyObject *keys, PyObject *name, bool open, batch_view *batch, uint32_t index) {
    PyObject *known = PyDict_GetItemWithError(keys, name);
    if (known == NULL && PyErr_Occurred()) return false;
    if (known == NULL) {
        if (!open) return damaged("a column that the table does not have");
        PyObject *position = PyLong_FromSsize_t(PyDict_GET_SIZE(keys));
        if (position == NULL) return false;
        uint32_t key = (uint32_t)PyDict_GET_SIZE(keys);
        int failed = PyDict_SetItem(keys, name, position);
        Py_DECREF(position);
        return failed == 0 && claim_key(batch, key, open, index);
    }
    return claim_key(batch, (uint32_t)PyLong_AsUnsignedLong(known), open, index);
}

static bool open_batch(abi_bytes bytes, PyObject *keys, bool open, batch_view *batch) {
    uint32_t column_count;
    memset(batch, 0, sizeof(*batch));
    if (!check_header(bytes, &batch->row_count, &column_count)) return false;
    const uint8_t *at = bytes.ptr + BATCH_HEADER_BYTES, *end = bytes.ptr + load_u32(bytes.ptr + 4);
    batch->columns = PyMem_Calloc(column_count ? column_count : 1, sizeof(column_view));
    batch->owners = PyMem_Calloc(column_count + (size_t)PyDict_GET_SIZE(keys) + 1, sizeof(uint32_t));
    if (batch->columns == NULL || batch->owners == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (uint32_t index = 0; index < column_count; index++) {
        batch->column_count = index + 1;
        batch->columns[index].key = NO_KEY;
        PyObject *name = view_column(&at, end, batch->row_count, &batch->columns[index]);
        if (name == NULL) return false;
        bool placed = place_column(keys, name, open, batch, index);
        Py_DECREF(name);
        if (!placed) return false;
    }
    return at == end || damaged("bytes left over");
}

/* With a constant `type` only that case is compiled. */
static inline __attribute__((always_inline)) PyObject *value_at(uint8_t type, const column_view *column, uint32_t row) {
    switch (type) {
    case TYPE_INT64:
    case TYPE_TIME:
        return PyLong_FromLongLong(load_i64(column->body + (size_t)row * 8));
    case TYPE_UINT64:
        return PyLong_FromUnsignedLongLong((uint64_t)load_i64(column->body + (size_t)row * 8));
    case TYPE_FLOAT64:
        return PyFloat_FromDouble(load_f64(column->body + (size_t)row * 8));
    case TYPE_BOOL:
        return PyBool_FromLong(column->body[row]);
    case TYPE_UTF8: {
        uint32_t start = load_u32(column->offsets + (size_t)row * 4), end = load_u32(column->offsets + (size_t)row * 4 + 4);
        if (start > end || end > column->text_size) return damaged("offsets outside the text"), NULL;
        return PyUnicode_DecodeUTF8(column->text + start, end - start, NULL);
    }
    default: {
        uint32_t index = load_u32(column->indexes + (size_t)row * 4);
        if (index >= column->entry_count) return damaged("tag index outside its dictionary"), NULL;
        return Py_NewRef(column->entries[index]);
    }
    }
}

/* Puts the present values of rows `start` to `end` into the rows' entries. */
static bool fill_column(const column_view *column, PyDictUnicodeEntry **entries, uint32_t start, uint32_t end) {
    if (column->key == NO_KEY) return true;
#define FILL(TYPE)                                                                        \
    case TYPE:                                                                            \
        for (uint32_t row = start; row < end; row++) {                                    \
            if (!is_present(column->validity, row)) continue;                             \
            PyObject *value = value_at(TYPE, column, row);                                \
            if (value == NULL) return false;                                              \
            entries[row - start][column->key].me_value = value;                           \
        }                                                                                 \
        return true;
    switch (column->type) {
        FILL(TYPE_INT64)
        FILL(TYPE_FLOAT64)
        FILL(TYPE_BOOL)
        FILL(TYPE_UTF8)
        FILL(TYPE_TAG)
        FILL(TYPE_UINT64)
        FILL(TYPE_TIME)
    default:
        return true;
    }
#undef FILL
}

/* Rows with every key. The entries of a copied template are overwritten in place: the template holds only None, which is
   immortal, and a column's key occurs once, so nothing needs releasing. */
static bool fill_full_rows(const batch_view *batch, PyObject *template, PyObject *rows, Py_ssize_t first) {
    PyDictUnicodeEntry *entries[ROWS_PER_PASS];
    Py_ssize_t width = PyDict_GET_SIZE(template);
    for (uint32_t start = 0; start < batch->row_count; start += ROWS_PER_PASS) {
        uint32_t end = batch->row_count - start < ROWS_PER_PASS ? batch->row_count : start + ROWS_PER_PASS;
        for (uint32_t row = start; row < end; row++) {
            PyObject *copy = PyDict_Copy(template);
            if (copy == NULL) return false;
            PyList_SET_ITEM(rows, first + row, copy);
            PyDictKeysObject *keys = ((PyDictObject *)copy)->ma_keys;
            if (width != 0 && (((PyDictObject *)copy)->ma_values != NULL || !DK_IS_UNICODE(keys) || keys->dk_nentries != width)) {
                PyErr_SetString(PyExc_SystemError, "a copied dict has an unexpected layout");
                return false;
            }
            entries[row - start] = DK_UNICODE_ENTRIES(keys);
        }
        for (uint32_t index = 0; index < batch->column_count; index++) {
            if (!fill_column(&batch->columns[index], entries, start, end)) return false;
        }
    }
    return true;
}

/* Rows without keys for absent values, still in the template's order. */
static bool fill_sparse_rows(const batch_view *batch, PyObject *template, PyObject *rows, Py_ssize_t first) {
    Py_ssize_t width = PyDict_GET_SIZE(template);
    const column_view **by_key = PyMem_Calloc(width ? width : 1, sizeof(column_view *));
    bool filled = by_key != NULL;
    if (!filled) PyErr_NoMemory();
    for (uint32_t index = 0; filled && index < batch->column_count; index++) {
        if (batch->columns[index].key != NO_KEY) by_key[batch->columns[index].key] = &batch->columns[index];
    }
    for (uint32_t row = 0; filled && row < batch->row_count; row++) {
        PyObject *dict = PyDict_New(), *name, *unused;
        filled = dict != NULL;
        if (filled) PyList_SET_ITEM(rows, first + row, dict);
        Py_ssize_t position = 0;
        for (Py_ssize_t key = 0; filled && PyDict_Next(template, &position, &name, &unused); key++) {
            const column_view *column = by_key[key];
            if (column == NULL || column->type == TYPE_NULL || !is_present(column->validity, row)) continue;
            PyObject *value = value_at(column->type, column, row);
            filled = value != NULL && PyDict_SetItem(dict, name, value) == 0;
            Py_XDECREF(value);
        }
    }
    PyMem_Free(by_key);
    return filled;
}

static PyObject *make_template(PyObject *keys) {
    PyObject *template = PyDict_New(), *name, *position;
    Py_ssize_t at = 0;
    while (template != NULL && PyDict_Next(keys, &at, &name, &position)) {
        PyObject *interned = Py_NewRef(name);
        PyUnicode_InternInPlace(&interned);
        int failed = PyDict_SetItem(template, interned, Py_None);
        Py_DECREF(interned);
        if (failed) Py_CLEAR(template);
    }
    return template;
}

static PyObject *number_columns(PyObject *columns) {
    PyObject *keys = PyDict_New();
    Py_ssize_t count = columns == NULL ? 0 : PyTuple_GET_SIZE(columns);
    for (Py_ssize_t index = 0; keys != NULL && index < count; index++) {
        PyObject *position = PyLong_FromSsize_t(index);
        if (position == NULL || PyDict_SetItem(keys, PyTuple_GET_ITEM(columns, index), position) < 0) Py_CLEAR(keys);
        Py_XDECREF(position);
    }
    if (keys != NULL && PyDict_GET_SIZE(keys) != count) {
        damaged("the table names a column twice");
        Py_CLEAR(keys);
    }
    return keys;
}

static bool decode_batch(abi_bytes bytes, PyObject *keys, bool open, PyObject **template, bool sparse, PyObject *rows, Py_ssize_t first) {
    batch_view batch;
    bool decoded = open_batch(bytes, keys, open, &batch);
    if (decoded && *template == NULL) {
        *template = make_template(keys);
        decoded = *template != NULL;
    }
    if (decoded) decoded = (sparse ? fill_sparse_rows : fill_full_rows)(&batch, *template, rows, first);
    close_batch(&batch);
    return decoded;
}

static bool count_rows(const abi_bytes *batches, uint32_t count, uint64_t *total) {
    *total = 0;
    for (uint32_t index = 0; index < count; index++) {
        uint32_t row_count, column_count;
        if (!check_header(batches[index], &row_count, &column_count)) return false;
        *total += row_count;
    }
    return *total <= ROWS_MAX || damaged("too many rows");
}

PyObject *decode_rows(PyObject *columns, const abi_bytes *batches, uint32_t count, bool sparse) {
    uint64_t total;
    if (!count_rows(batches, count, &total)) return NULL;
    bool open = columns == NULL;
    PyObject *keys = number_columns(columns), *rows = keys == NULL ? NULL : PyList_New((Py_ssize_t)total), *template = NULL;
    Py_ssize_t first = 0;
    int collecting = PyGC_Disable();
    for (uint32_t index = 0; rows != NULL && index < count; index++) {
        uint32_t row_count = load_u32(batches[index].ptr + 8);
        if (!decode_batch(batches[index], keys, open, &template, sparse, rows, first)) Py_CLEAR(rows);
        first += row_count;
    }
    if (collecting) PyGC_Enable();
    Py_XDECREF(template);
    Py_XDECREF(keys);
    return rows;
}
