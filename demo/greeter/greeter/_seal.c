/* The part of the service that is linked against a library of the release. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <zlib.h>

static PyObject *seal_crc32(PyObject *self, PyObject *args)
{
    const char *bytes;
    Py_ssize_t length;

    (void)self;
    if (!PyArg_ParseTuple(args, "y#", &bytes, &length))
        return NULL;
    return PyLong_FromUnsignedLong(crc32(0L, (const Bytef *)bytes, (uInt)length));
}

static PyMethodDef methods[] = {
    {"crc32", seal_crc32, METH_VARARGS, "The CRC-32 of some bytes."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_seal", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__seal(void)
{
    PyObject *made = PyModule_Create(&module);

    if (made != NULL && PyModule_AddStringConstant(made, "built_against", ZLIB_VERSION) < 0) {
        Py_DECREF(made);
        return NULL;
    }
    return made;
}
