#ifndef TIDEMARK_PRISTINE_H
#define TIDEMARK_PRISTINE_H
#include <Python.h>
#include <stdbool.h>

/* Both return false with an exception set. */
bool pristine_note(void);
bool pristine_restore(void);

#endif
