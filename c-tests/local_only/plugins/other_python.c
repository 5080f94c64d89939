/*
 * What a process has of another version of Python: a libpython whose functions are found first, and a copy of subpy
 * that is in use.
 */
const char *Py_GetVersion(void);
const char *Py_GetVersion(void) { return "3.2.1 (a test's)"; }

const char *subpy_python_version(void);
const char *subpy_python_version(void) { return "3.2.1"; }

/* The note of each copy: see crates/core/src/local/runtime/only_copy.rs. */
__asm__(".pushsection .data\n"
        ".balign 4\n"
        "in_use: .long 1\n"
        ".popsection\n"
        ".pushsection .note.subpy, \"a\", %note\n"
        ".balign 4\n"
        ".long 6, 4, 1\n"
        ".asciz \"subpy\"\n"
        ".balign 4\n"
        ".long in_use - .\n"
        ".popsection\n");
