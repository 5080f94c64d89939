/*
 * What a hazard is put to: subject_subpy.c is subpy, subject_raw.c the C API of Python as a host
 * without subpy uses it. The programs `hazard` and `hazard_raw` differ in nothing else.
 */
#ifndef SUBPY_HAZARDS_SUBJECT_H
#define SUBPY_HAZARDS_SUBJECT_H

#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <subpy.h>

struct interpreter;

/* How an interpreter is made. The raw C API gets as much of it as it has. */
struct options {
  bool shared_gil, fork, exec, daemon_threads;
  bool process_streams; /* sys.stdout and sys.stderr are the process's, not kept by us */
  uint64_t memory_limit, timeout_ms; /* 0: none; timeout_ms is for each run */
};

/* What went wrong in a call; empty where nothing did. */
struct failure {
  char type[256], message[512];
};

extern const char *const SUBJECT;
/* Whether it tells what went wrong, what was written and which threads are left. */
extern const bool SUBJECT_REPORTS;
const char *subject_python_version(void);

void subject_start(bool ignore_sigpipe, bool account_memory);
struct interpreter *subject_create(const struct options *options);
subpy_status subject_run(struct interpreter *interpreter, const char *code, size_t length,
                         const char *filename, struct failure *failure);
subpy_status subject_destroy(struct interpreter *interpreter, struct failure *failure);

/* Frees what is kept of an interpreter that was destroyed. */
void subject_forget(struct interpreter *interpreter);

/* What the interpreter has written so far; it can be asked after it was destroyed. */
const char *subject_output(const struct interpreter *interpreter, size_t *length);

/* "SUBPY_OK", ... */
const char *subject_status_name(subpy_status status);

/* Ends Python and all interpreters that are left, unless one of them is busy. */
subpy_status subject_stop(struct failure *failure);

/* A check that failed: says so, and ends the process. */
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format, ...);

#endif
