/* What every run finds as it was when the interpreter had started, whatever an earlier run of the same instance put in its
   place: the builtins, the modules imported then, and the functions and classes of our own modules. Other instances never
   see each other's; this keeps a plugin's next run, or its corrected next revision, from inheriting its own patches. */
#include "pristine.h"
#include <string.h>

#define OWN_PACKAGE "_tidemark"

/* A dict and what belongs in it. Restoring looks only at dicts that were changed since: the interpreter tells of each change. */
typedef struct {
    PyObject *dict;
    PyObject *copy;
    bool changed;
} kept_dict;

#define KEPT_MAX 64
static kept_dict kept[KEPT_MAX];
static int kept_count;
static int watcher = -1;

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
    if (copy == NULL || kept_count == KEPT_MAX || PyDict_Watch(watcher, dict) < 0) {
        Py_XDECREF(copy);
        return false;
    }
    if (PyObject_GC_IsTracked(copy)) PyObject_GC_UnTrack(copy);
    kept[kept_count++] = (kept_dict){ .dict = Py_NewRef(dict), .copy = copy, .changed = false };
    return true;
}

/* New names take nothing away. */
static int note_change(PyDict_WatchEvent event, PyObject *dict, PyObject *name, PyObject *value) {
    if (event == PyDict_EVENT_ADDED) return 0;
    for (int index = 0; index < kept_count; index++) {
        if (kept[index].dict == dict) kept[index].changed = true;
    }
    return 0;
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
    watcher = PyDict_AddWatcher(note_change);
    if (watcher < 0 || !keep(modules, false) || !keep(PyEval_GetBuiltins(), false)) return false;
    while (PyDict_Next(modules, &at, &name, &module)) {
        const char *text = PyUnicode_Check(name) && PyModule_Check(module) ? PyUnicode_AsUTF8(name) : NULL;
        if (text == NULL || strncmp(text, OWN_PACKAGE, strlen(OWN_PACKAGE)) != 0) continue;
        if (!keep(PyModule_GetDict(module), true)) return false;
        seal_types(PyModule_GetDict(module));
    }
    return !PyErr_Occurred();
}

static bool restore(const kept_dict *one) {
    PyObject *name, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(one->copy, &at, &name, &value)) {
        PyObject *current = PyDict_GetItemWithError(one->dict, name);
        if (current == value) continue;
        if (PyErr_Occurred() || PyDict_SetItem(one->dict, name, value) < 0) return false;
    }
    return true;
}

bool pristine_restore(void) {
    for (int index = 0; index < kept_count; index++) {
        if (!kept[index].changed) continue;
        if (!restore(&kept[index])) return false;
        kept[index].changed = false;
    }
    return true;
}
