/*
 * The host that hazards are put to: interpreters of subpy, and what came of them.
 */
#ifndef SUBPY_HAZARDS_SUBJECT_H
#define SUBPY_HAZARDS_SUBJECT_H

#define SUPPORT_PLAIN
#include "check.h"

struct interpreter;

/* How an interpreter is made. */
struct options {
  bool shared_gil, fork, exec, daemon_threads;
  bool process_streams; /* sys.stdout and sys.stderr are the process's, not kept by us */
  uint64_t memory_limit, output_limit, timeout_ms; /* 0: none; timeout_ms is for each run */
  uint64_t kill_after_ms;
};

/* What went wrong in a call; empty where nothing did. */
struct failure {
  char type[256], message[512];
};

void subject_start(bool ignore_sigpipe, bool account_memory);
struct interpreter *subject_create(const struct options *options);
subpy_status subject_run(struct interpreter *interpreter, const char *code, size_t length,
                         const char *filename, struct failure *failure);
subpy_status subject_destroy(struct interpreter *interpreter, struct failure *failure);

/* What the interpreter has written so far; it can be asked after it was destroyed. */
const char *subject_output(const struct interpreter *interpreter, size_t *length);

/* Ends Python and all interpreters that are left, unless one of them is busy. */
subpy_status subject_stop(struct failure *failure);

#endif
