/* The builtin module `_tidemark_host`: the host's functions as Python sees them. */
#ifndef TIDEMARK_HOST_MODULE_H
#define TIDEMARK_HOST_MODULE_H

#include "canonical-abi.h"

#define HOST_MODULE_NAME "_tidemark_host"
PyObject *PyInit__tidemark_host(void);

#endif
