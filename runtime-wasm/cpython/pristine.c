/* What every run finds as it was when the interpreter had started, whatever an earlier run of the same instance put in its
   place: the builtins, the modules imported then, and the functions and classes of our own modules. Other instances never
   see each other's; this keeps a plugin's next run, or its corrected next revision, from inheriting its own patches. */
#include "pristine.h"
#include <string.h>

#define OWN_PACKAGE "_tidemark"

static PyObject *kept; /* list of (dict, what belongs in it) */

static bool is_definition(PyObject *value) {
    return PyFunction_Check(value) || PyType_Check(value) || PyCFunction_Check(value) || PyModule_Check(value);
}

/* The collector does not know these containers, so a plugin cannot look them up and change them. */
static bool keep(PyObject *dict, bool definitions_only) {
    PyObject *copy = PyDict_New(), *name, *value;
    Py_ssize_t at = 0;
    while (copy != NULL && PyDict_Next(dict, &at, &name, &value)) {
        if ((!definitions_only || is_definition(value)) && PyDict_SetItem(copy, name, value) < 0) Py_CLEAR(copy);
    }
    PyObject *pair = copy == NULL ? NULL : PyTuple_Pack(2, dict, copy);
    bool done = pair != NULL && PyList_Append(kept, pair) == 0;
    if (done) {
        if (PyObject_GC_IsTracked(copy)) PyObject_GC_UnTrack(copy);
        if (PyObject_GC_IsTracked(pair)) PyObject_GC_UnTrack(pair);
    }
    Py_XDECREF(pair);
    Py_XDECREF(copy);
    return done;
}

/* Classes that a plugin has no business changing: those of our own package that are not the reference's. */
static void seal_types(PyObject *module_dict) {
    PyObject *name, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(module_dict, &at, &name, &value)) {
        if (!PyType_Check(value)) continue;
        PyObject *module = PyDict_GetItemString(((PyTypeObject *)value)->tp_dict, "__module__");
        const char *text = module != NULL && PyUnicode_Check(module) ? PyUnicode_AsUTF8(module) : NULL;
        if (text != NULL && strncmp(text, OWN_PACKAGE ".", strlen(OWN_PACKAGE ".")) == 0) ((PyTypeObject *)value)->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
    }
}

bool pristine_note(void) {
    PyObject *modules = PyImport_GetModuleDict(), *name, *module;
    Py_ssize_t at = 0;
    kept = PyList_New(0);
    if (kept == NULL || !keep(modules, false) || !keep(PyEval_GetBuiltins(), false)) return false;
    while (PyDict_Next(modules, &at, &name, &module)) {
        const char *text = PyUnicode_Check(name) && PyModule_Check(module) ? PyUnicode_AsUTF8(name) : NULL;
        if (text == NULL || strncmp(text, OWN_PACKAGE, strlen(OWN_PACKAGE)) != 0) continue;
        if (!keep(PyModule_GetDict(module), true)) return false;
        seal_types(PyModule_GetDict(module));
    }
    if (PyObject_GC_IsTracked(kept)) PyObject_GC_UnTrack(kept);
    return !PyErr_Occurred();
}

bool pristine_restore(void) {
    Py_ssize_t count = kept == NULL ? 0 : PyList_GET_SIZE(kept);
    for (Py_ssize_t index = 0; index < count; index++) {
        PyObject *pair = PyList_GET_ITEM(kept, index), *name, *value;
        PyObject *dict = PyTuple_GET_ITEM(pair, 0), *copy = PyTuple_GET_ITEM(pair, 1);
        Py_ssize_t at = 0;
        while (PyDict_Next(copy, &at, &name, &value)) {
            PyObject *current = PyDict_GetItemWithError(dict, name);
            if (current == value) continue;
            if (PyErr_Occurred() || PyDict_SetItem(dict, name, value) < 0) return false;
        }
    }
    return true;
}
