/*
 * What is not the same for the backends, each with its reason: where a test of c-tests/api depends on it, it says so by a
 * name of these.
 */
#ifndef SUBPY_TESTS_BACKENDS_H
#define SUBPY_TESTS_BACKENDS_H

#include "support.h"

#include <fcntl.h>

/* The exit code of a program whose subject this backend does not have. */
enum { SKIPPED = 77 };

/* Whether interpreters are in processes of their own. */
static inline bool in_processes(void) { return backend_under_test() == SUBPY_BACKEND_PROCESS; }

/* CPython can't end an interpreter beside threads of its own, so the host has to end those first: BUSY. The kernel ends
 * a process with its threads, so there a destroy does. */
static inline bool threads_hold_up_destroy(void) { return !in_processes(); }

/* The kernel gives each process its own memory: what one side writes to a buffer later, the other one does not see. */
static inline bool buffers_are_shared(void) { return !in_processes(); }

/* CPython lets its main interpreter fork, and does not let others. That of a process is its main one. */
static inline bool scripts_may_fork(void) { return in_processes(); }

/* A function of the host's that keeps the GIL has that of this process, which a call lets go of while it waits. A process
 * has a GIL of its own, out of reach. */
static inline bool waits_without_gil(void) { return !in_processes(); }

/* `os.execv()` puts another program into the place of the process that calls it. */
static inline bool exec_ends_the_host(void) { return !in_processes(); }

/* What takes a process's modules apart is not run where the process ends: the kernel frees them. */
static inline bool modules_go_at_the_end(void) { return !in_processes(); }

/* The kernel gives each process its own environment, so none is shared; and a time zone of its own. */
static inline bool environment_is_of_the_process(void) { return !in_processes(); }

/* What an interpreter has from before its process was forked is not its own: others have the same memory. It may have freed
 * more than it has allocated since: so it has 0 bytes. */
static inline bool memory_counts_from_the_start(void) { return !in_processes(); }

/* An interpreter can't be destroyed beside its threads: the message has `part`. Nothing has happened then. */
#define REFUSES_FOR_THREADS(part, call)                                                            \
  do {                                                                                             \
    if (threads_hold_up_destroy()) {                                                               \
      REFUSES(SUBPY_ERR_BUSY, part, call);                                                         \
    }                                                                                              \
  } while (0)

/* Writes a Python expression that opens one of this process's descriptors: a process has its own, but each may open what
 * another one has. */
static inline void open_in_script(char *expression, size_t room, int descriptor,
                                  const char *flags) {
  snprintf(expression, room, "__import__('os').open('/proc/%d/fd/%d', __import__('os').%s)",
           (int)getpid(), descriptor, flags);
}

/* stdout and stderr of an interpreter's process are what they are here now. (A process gets those of the host when it is
 * made, and a descriptor that is changed in the host later is the host's own.) */
static inline void follow_streams(subpy_id id) {
  if (!in_processes() || id == 0) {
    return;
  }
  for (int stream = STDOUT_FILENO; stream <= STDERR_FILENO; stream++) {
    char code[256];
    const int flags = fcntl(stream, F_GETFL);
    if (flags == -1) {
      snprintf(code, sizeof code, "import os; os.close(%d)", stream);
    } else {
      snprintf(code, sizeof code,
               "import os; new = os.open('/proc/%d/fd/%d', %d); os.dup2(new, %d); os.close(new); "
               "del new, os",
               (int)getpid(), stream, flags & (O_ACCMODE | O_NONBLOCK | O_APPEND), stream);
    }
    subpy_run_string(id, code, NULL);
  }
}

#endif
