/* Table batches (src/core/columns/table-batch.ts) into rows: list[dict]. */
#ifndef TIDEMARK_ROW_DECODER_H
#define TIDEMARK_ROW_DECODER_H

#include "canonical-abi.h"

/* Decodes `count` batches of one table into one list of dicts, in order. `columns` (a tuple of str) names the keys of
   every row; NULL: those of the only batch, where the last of equal names wins. Absent values are None, or no key when
   `sparse`. Damaged bytes raise ValueError; nothing outside the batches is ever read. The bytes stay the caller's. */
PyObject *decode_rows(PyObject *columns, const abi_bytes *batches, uint32_t count, bool sparse);

#endif
