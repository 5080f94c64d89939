/* Calls in threads of their own that wait for their turn, and a run that is held open meanwhile. */
#ifndef SUBPY_TESTS_WAITING_CALLS_H
#define SUBPY_TESTS_WAITING_CALLS_H

#include "support.h"

#include <sys/syscall.h>

/* Threads that call, and whether they wait. -------------------------------------------------- */

/* A call in a thread of its own, and what came of it. */
struct call {
  subpy_id id;
  subpy_run_options options;
  char code[128];
  pthread_t thread;
  int number;             /* the kernel's, of the thread; 0: it has not started */
  void (*if_ended)(void); /* done when the call has returned, if it is not NULL */
  struct gate done;
  subpy_status got;
  char message[256];
};

static inline void *call_now(void *argument) {
  struct call *call = argument;
  subpy_error *error = UNWRITTEN;
  __atomic_store_n(&call->number, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
  call->got =
      subpy_run_string_with(call->id, &call->options, call->code, strlen(call->code), &error);
  snprintf(call->message, sizeof call->message, "%s", subpy_error_message(error));
  subpy_error_free(error);
  if (call->if_ended != NULL) {
    call->if_ended();
  }
  gate_open(&call->done);
  return NULL;
}

/* Starts a call that waits. `wait_ms` may be changed first. */
static inline void call_prepare(struct call *call, subpy_id one, const char *code) {
  const struct gate closed = GATE_INIT;
  const subpy_run_options defaults = SUBPY_RUN_OPTIONS_INIT;
  memset(call, 0, sizeof *call);
  call->id = one;
  call->done = closed;
  call->options = defaults;
  call->options.wait_ms = SUBPY_FOREVER;
  snprintf(call->code, sizeof call->code, "%s", code);
}

static inline bool sleeps(int number) {
  char path[64], text[512] = "";
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", number);
  FILE *const file = fopen(path, "r");
  if (file == NULL) {
    return false;
  }
  const size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  const char *const end = strrchr(text, ')');
  return end != NULL && end[2] == 'S';
}

/* Until the thread of this number sleeps: it waits for its turn. It is in the call already, or about to make it, and
 * nothing else there makes it sleep for long. */
static inline void until_thread_waits(const int *number, struct call *call) {
  for (int in_a_row = 0; in_a_row < 5;) {
    const int now = __atomic_load_n(number, __ATOMIC_SEQ_CST);
    CHECK(!gate_is_open(&call->done), "it has not waited: %s: %s", subpy_status_name(call->got),
          call->message);
    in_a_row = now != 0 && sleeps(now) ? in_a_row + 1 : 0;
    usleep(1000);
  }
}

static inline void until_it_waits(struct call *call) { until_thread_waits(&call->number, call); }

static inline void call_start(struct call *call, subpy_id one, const char *code) {
  call_prepare(call, one, code);
  call->thread = thread_start(call_now, call);
  until_it_waits(call);
}

static inline void call_ends(struct call *call, subpy_status expected, const char *part) {
  thread_join(call->thread);
  CHECK(call->got == expected, "%s, not %s: %s", subpy_status_name(call->got),
        subpy_status_name(expected), call->message);
  CHECK_CONTAINS(call->message, part);
}

/* A run that is held open in a function of the host's. --------------------------------------- */

struct hold {
  struct gate inside, leave;
};

static inline void hold_open(void *user, subpy_host_call *call, const subpy_value *args,
                             size_t nargs) {
  struct hold *hold = user;
  (void)call, (void)args, (void)nargs;
  gate_open(&hold->inside);
  gate_wait(&hold->leave);
}

static struct hold hold;
static struct call holder;

/* Defines `host.hold_open()`, without the GIL: other interpreters may share that. */
static inline void hold_define(subpy_id one) {
  const struct hold closed = {GATE_INIT, GATE_INIT};
  subpy_function_options options = SUBPY_FUNCTION_OPTIONS_INIT;
  options.release_gil = 1;
  hold = closed;
  EXPECT(SUBPY_OK, subpy_define_function_with(one, &options, "host", "hold_open", hold_open, &hold,
                                              NULL, &error));
}

/* Has `one` run until hold_end(). */
static inline void hold_start_by(subpy_id one, const char *code) {
  hold_define(one);
  call_prepare(&holder, one, code);
  holder.thread = thread_start(call_now, &holder);
  gate_wait(&hold.inside);
}

static inline void hold_start(subpy_id one) { hold_start_by(one, "import host; host.hold_open()"); }

static inline void hold_end(subpy_status expected) {
  gate_open(&hold.leave);
  call_ends(&holder, expected, "");
}

#endif
