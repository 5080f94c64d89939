/**
 * @file
 * subpy: many isolated Python interpreters in one C or C++ program.
 *
 * Conventions of every function:
 *  - One that can fail returns a ::subpy_status and takes, last, a place for an error: NULL to
 *    ignore it; otherwise it is always written: NULL on success, and on failure an error that the
 *    caller frees with subpy_error_free().
 *  - Strings that come in are UTF-8, end in a NUL, and are the caller's. Strings that go out belong
 *    to what they were asked of.
 *  - Any thread may make any call, one that Python has never seen, too. A thread that holds a Python
 *    thread state of its own (the host embeds Python itself, or is inside of a callback) gets it
 *    back as it was.
 *  - No lock of subpy is held while Python code or a callback runs, or while a GIL is awaited.
 *
 * This file is generated from crates/ffi by cbindgen: `make header`.
 */
