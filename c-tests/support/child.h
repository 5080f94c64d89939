/*
 * Child processes, made before this process has initialized Python: each can initialize its own.
 */
#ifndef SUBPY_TESTS_CHILD_H
#define SUBPY_TESTS_CHILD_H

#include "backends.h"

#include <signal.h>
#include <sys/wait.h>

/* Does some work in a child process and returns its wait status. A check that fails there ends it
 * with the code FAILED. */
static inline int child_status(void (*work)(void *), void *argument) {
  fflush(NULL);
  pid_t pid = fork();
  CHECK(pid >= 0, "no child process");
  if (pid == 0) {
    const int caught[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS};
    for (size_t i = 0; i < COUNT(caught); i++) {
      signal(caught[i], SIG_DFL); /* cmocka would go on with the next test */
    }
    tests_run = false;
    work(argument);
    fflush(NULL);
    _exit(0);
  }
  int status = -1;
  CHECK_EQUAL(waitpid(pid, &status, 0), pid);
  return status;
}

static inline void check_child(const char *file, int line, const char *work, int status) {
  if (status != 0) {
    check_failed(file, line, work, "the child process failed: wait status %#x", (unsigned)status);
  }
}

/* Does some work in a child process, which has to succeed. */
#define IN_CHILD(work, argument)                                                                   \
  check_child(__FILE__, __LINE__, #work, child_status(work, argument))

struct question {
  const char *expression;
  int answer; /* a pipe */
};

static inline void answer_question(void *argument) {
  const struct question *question = argument;
  char code[512], answer[128];
  open_in_script(answer, sizeof answer, question->answer, "O_WRONLY");
  snprintf(code, sizeof code, "import os, sys; os.write(%s, str(%s).encode())", answer,
           question->expression);
  subpy_id id;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, code);
}

/* What a Python expression is in a Python that was started with the defaults. */
static inline void ask_python(const char *expression, char *answer, size_t room) {
  int ends[2];
  CHECK_EQUAL(pipe(ends), 0);
  struct question question = {expression, ends[1]};
  IN_CHILD(answer_question, &question);
  close(ends[1]);
  ssize_t length = read(ends[0], answer, room - 1);
  close(ends[0]);
  CHECK(length >= 0, "nothing to read");
  answer[length] = '\0';
}

#endif
