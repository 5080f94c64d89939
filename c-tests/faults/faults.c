/*
 * faults KIND [STEP [FIRST]]: the system refuses one thing once, in a process of its own each time: the first of this
 * kind that is asked for after subpy_initialize, the second one, and so on, until nothing more is asked for. Each call
 * has to return. What was refused may be had later, so in the end all of it has to work.
 */
#define _GNU_SOURCE
#define SUPPORT_PLAIN

#include "child.h"

#include "refusing.h"

#include <sys/mman.h>
#include <sys/syscall.h>

static const char *const kinds[KINDS] = {"malloc", "mmap", "open", "pipe", "pthread_create"};

/* Where a process has come to; it is the parent's, too. */
static const char *volatile *stage;

/* Does it again, if the system has refused something. */
#define TRY(call)                                                                                  \
  do {                                                                                             \
    *stage = #call;                                                                                \
    subpy_error *error = NULL;                                                                     \
    const subpy_status status = (call);                                                            \
    CHECK(status == subpy_error_status(error), "%s", subpy_status_name(status));                   \
    subpy_error_free(error);                                                                       \
    if (status != SUBPY_OK) {                                                                      \
      refused = KINDS;                                                                             \
      EXPECT(SUBPY_OK, call);                                                                      \
    }                                                                                              \
  } while (0)

static void answer_42(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)args, (void)nargs;
  const subpy_value value = subpy_int(42);
  subpy_host_return(call, &value);
}

static void use_python(void *number) {
  const enum kind kind = refused;
  refused = KINDS;
  INITIALIZE(NULL);
  subpy_id id;
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = 600000;
  static const char code[] = "import _thread, json, subprocess, tempfile\n"
                             "def f(x): return json.loads(json.dumps([x] * 100))\n"
                             "if with_thread:\n"
                             "    done = _thread.allocate_lock(); done.acquire()\n"
                             "    _thread.start_new_thread(done.release, ())\n"
                             "    done.acquire()\n"
                             "assert host.answer() == 42\n"
                             "print(end=f(2) and str())\n"
                             "with tempfile.TemporaryFile() as file: file.write(b'x')\n"
                             "assert subprocess.run(['true']).returncode == 0\n";
  left = *(long *)number;
  refused = kind;
  TRY(subpy_create(NULL, &id, &error));
  TRY(subpy_define_function(id, "host", "answer", answer_42, NULL, NULL, &error));
  /* A thread of Python's that gets no memory may end without a word. */
  const subpy_value with_thread = subpy_bool(kind != MALLOC);
  TRY(subpy_set(id, "with_thread", &with_thread, &error));
  TRY(subpy_run_string(id, "import host", &error));
  TRY(subpy_run_string_with(id, &options, code, strlen(code), &error));
  const subpy_value argument = subpy_int(7);
  subpy_value result = {0};
  TRY(subpy_call(id, "f", &argument, 1, &result, &error));
  subpy_value_clear(&result);
  TRY(destroy_within(id, 60000, &error));
  TRY(subpy_finalize(&error));
  *stage = "after it";
  refused = KINDS;
  fflush(NULL);
  _exit(left > 0 ? 10 : 0); /* 10: nothing was refused */
}

int main(int count, char **arguments) {
  CHECK(count > 1, "faults KIND [STEP [FIRST]]");
  enum kind kind = 0;
  while (kind < KINDS && strcmp(kinds[kind], arguments[1]) != 0) {
    kind++;
  }
  CHECK(kind < KINDS, "what is %s?", arguments[1]);
  const long step = count > 2 ? atol(arguments[2]) : 1;
  long number = count > 3 ? atol(arguments[3]) : 1;
  stage = (void *)syscall(SYS_mmap, NULL, sizeof *stage, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int died = 0;
  for (int status = 0; status != 10 << 8; number += step) {
    refused = kind;
    status = child_status(use_python, &number);
    refused = KINDS;
    if (status != 0 && status != 10 << 8) {
      printf("%s %ld: wait status %#x in %s\n", kinds[kind], number, (unsigned)status, *stage);
      /* CPython calls exit(1) where it has no memory for an interpreter. */
      died += kind != MALLOC || status != 1 << 8 || strncmp(*stage, "subpy_create(", 13) != 0;
    }
  }
  printf("%s: %ld in steps of %ld, %d died\n", kinds[kind], number - step, step, died);
  return died != 0;
}
