/*
 * Puts hazards to subpy:
 *
 *     hazard [-r] FILE NAME [SITUATION...]        a script; -r: report only
 *     hazard -p FILE NAME [SITUATION...]          the same, with interpreters in processes of their own
 *     hazard [-r] -m PART/PARTS [SITUATION...]    importing each module of the standard library
 *     hazard -l FILE                              lists the names of the scripts
 *     hazard -t TABLE FILE...                     whether the table has each script
 *
 * Each situation is a process of its own:
 *
 *   once       two interpreters run the script; one is destroyed, the other is left to the end
 *   elsewhere  the same, but each call comes from a thread of its own, which is gone then
 *   stack=64K  the same as `once`, but the script runs in a thread with a stack of this size
 *   fifo, lifo, mixed    six interpreters, destroyed in this order
 *   churn      create, run, destroy, a dozen times
 *   threads    the same in four threads at once
 *
 * What has to come out is in the script's first line: see script.h.
 */
#include "subject.h"

#include "script.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* How the process of a situation ends, if no script ends it. */
enum { SURVIVED = 42, SKIPPED = 77 };

static struct script script;

static bool flag(const char *name) {
  char value[8];
  return script_option(&script, name, value, sizeof value);
}

static bool in_processes(void) { return backend_under_test() == SUBPY_BACKEND_PROCESS; }

/* What comes out of it in a process of its own, if that is something else. */
static bool differs_in_process(char *status, size_t room) {
  return in_processes() && script_option(&script, "process_expect", status, room);
}

static void expect(const char *option, subpy_status status, const struct failure *failure) {
  char expected[32] = "OK";
  script_option(&script, option, expected, sizeof expected);
  differs_in_process(expected, sizeof expected);
  const char *name = subpy_status_name(status) + strlen("SUBPY_");
  name += strncmp(name, "ERR_", 4) == 0 ? 4 : 0;
  CHECK(strcmp(expected, "any") == 0 || strcmp(name, expected) == 0, "%s: %s, not %s: %s: %s",
        option, name, expected, failure->type, failure->message);
}

/* In a thread of its own, where that is asked for. -----------------------------------------------
 */

struct call {
  subpy_status (*function)(struct interpreter *, struct failure *);
  struct interpreter *interpreter;
  struct failure *failure;
  subpy_status status;
};

static void *make_call(void *argument) {
  struct call *call = argument;
  call->status = call->function(call->interpreter, call->failure);
  return NULL;
}

static bool elsewhere;
static long stack;

static subpy_status in_thread(subpy_status (*function)(struct interpreter *, struct failure *),
                              struct interpreter *interpreter, struct failure *failure) {
  struct call call = {function, interpreter, failure, SUBPY_OK};
  if (!elsewhere && stack == 0) {
    make_call(&call);
    return call.status;
  }
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  CHECK(stack == 0 || pthread_attr_setstacksize(&attributes, (size_t)stack) == 0,
        "a stack of %ld bytes can't be had", stack);
  CHECK_EQUAL(pthread_create(&thread, &attributes, make_call, &call), 0);
  pthread_join(thread, NULL);
  return call.status;
}

/* A life. ----------------------------------------------------------------------------------------
 */

static struct interpreter *create(void) {
  const struct options options = {
      .shared_gil = flag("shared"),
      .fork = flag("fork"),
      .exec = flag("exec"),
      .daemon_threads = flag("daemon"),
      .process_streams = flag("process"),
      .memory_limit = (uint64_t)script_number(&script, "memory", 0),
      .timeout_ms = (uint64_t)script_number(&script, "time", 0),
      .kill_after_ms = (uint64_t)script_number(&script, "kill_after", 30000),
      .output_limit = (uint64_t)script_number(&script, "output_limit", 0),
  };
  return subject_create(&options);
}

static subpy_status run_script(struct interpreter *interpreter, struct failure *failure) {
  char filename[128];
  bool named = script_option(&script, "filename", filename, sizeof filename);
  subpy_status status =
      subject_run(interpreter, script.code, script.length, named ? filename : NULL, failure);
  if (status == SUBPY_OK && flag("generate")) {
    size_t length;
    const char *source = subject_output(interpreter, &length);
    status = subject_run(interpreter, source, length, NULL, failure);
  }
  return status;
}

static subpy_status run_more(struct interpreter *interpreter, struct failure *failure) {
  static const char *const CODE = "x = 1";
  return subject_run(interpreter, CODE, strlen(CODE), NULL, failure);
}

/* Extension modules that this Python refuses in an interpreter with a GIL of its own. */
static bool is_refused(void) {
  char range[32];
  return script_option(&script, "refused", range, sizeof range) && !flag("shared") &&
         !in_processes() && version_in(subpy_python_version(), range);
}

static void run_checked(struct interpreter *interpreter) {
  struct failure failure = {"", ""};
  subpy_status status = in_thread(run_script, interpreter, &failure);
  char part[128];
  if (is_refused()) {
    CHECK_TEXT(failure.type, "ImportError");
  } else {
    expect("expect", status, &failure);
  }
  if (differs_in_process(part, sizeof part)) {
    return;
  }
  if (script_option(&script, "type", part, sizeof part)) {
    CHECK_TEXT(failure.type, part);
  }
  if (script_option(&script, "message", part, sizeof part)) {
    CHECK_CONTAINS(failure.message, part);
  }
}

static void run(struct interpreter *interpreter) {
  struct failure failure = {"", ""};
  run_checked(interpreter);
  const subpy_status after = in_thread(run_more, interpreter, &failure);
  char lost[32];
  if (!differs_in_process(lost, sizeof lost)) {
    expect("after", after, &failure);
  } else if (strcmp(lost, "LOST") == 0) {
    CHECK_EQUAL(after, SUBPY_ERR_LOST);
  }
}

/* Python threads that were told to end are gone some time later. */
static subpy_status until_not_busy(subpy_status (*end)(struct interpreter *, struct failure *),
                                   struct interpreter *interpreter, struct failure *failure) {
  subpy_status status;
  while ((status = in_thread(end, interpreter, failure)) == SUBPY_ERR_BUSY) {
    sched_yield();
  }
  return status;
}

static void release(struct interpreter *interpreter) {
  /* A process ends with its threads: what one has to say, it says before. */
  const char *const code =
      in_processes() && flag("says")
          ? "release()\nimport sys, time\nwhile len(sys._current_frames()) > 1: time.sleep(0)"
          : "release()";
  struct failure failure = {"", ""};
  CHECK(subject_run(interpreter, code, strlen(code), NULL, &failure) == SUBPY_OK, "%s: %s",
        failure.type, failure.message);
}

static void check_output(struct interpreter *interpreter) {
  char part[128];
  size_t length;
  const char *output = subject_output(interpreter, &length);
  if (script_option(&script, "says", part, sizeof part)) {
    CHECK_CONTAINS(output, part);
  }
  if (flag("output")) {
    CHECK_EQUAL(length, script_number(&script, "output", 0));
  }
}

static bool is_busy(void) {
  char status[8] = "";
  script_option(&script, "destroy", status, sizeof status);
  return strcmp(status, "BUSY") == 0 || flag("threads");
}

static void expect_busy(subpy_status status, const struct failure *failure) {
  char threads[32], number[64] = "";
  if (script_option(&script, "threads", threads, sizeof threads)) {
    snprintf(number, sizeof number, "has %s Python thread", threads);
  }
  CHECK(status == SUBPY_ERR_BUSY, "%s: %s", subpy_status_name(status), failure->message);
  CHECK_CONTAINS(failure->message, number);
}

static void destroy(struct interpreter *interpreter) {
  struct failure failure = {"", ""};
  subpy_status status;
  if (is_busy()) {
    if (!in_processes()) { /* which end with their threads */
      expect_busy(in_thread(subject_destroy, interpreter, &failure), &failure);
    }
    release(interpreter);
    status = until_not_busy(subject_destroy, interpreter, &failure);
  } else if (flag("destroy")) {
    status = until_not_busy(subject_destroy, interpreter, &failure);
  } else {
    status = in_thread(subject_destroy, interpreter, &failure);
  }
  CHECK(status == SUBPY_OK, "%s: %s", subpy_status_name(status), failure.message);
  check_output(interpreter);
}

static subpy_status stop_all(struct interpreter *none, struct failure *failure) {
  (void)none;
  return subject_stop(failure);
}

/* `left` is what is not destroyed yet. Python's main thread stops it. */
static void stop(struct interpreter *left) {
  struct failure failure = {"", ""};
  elsewhere = false;
  stack = 0;
  if (left != NULL && is_busy()) {
    if (!in_processes()) {
      expect_busy(subject_stop(&failure), &failure);
    }
    release(left);
  }
  subpy_status status = until_not_busy(stop_all, NULL, &failure);
  CHECK(status == SUBPY_OK, "%s: %s", subpy_status_name(status), failure.message);
  if (left != NULL) {
    check_output(left);
  }
}

/* The process still works. */
static void use_another(void) {
  RUN_IN_NEW(NULL, "import datetime, re\n"
                   "assert re.match('[0-9]+', str(datetime.date(2000, 1, 1)))\n");
}

/* Situations. ------------------------------------------------------------------------------------
 */

static void once(void) {
  struct interpreter *first = create(), *second = create();
  run(first);
  run(second);
  if (flag("leave")) {
    return;
  }
  destroy(first);
  use_another();
  stop(second);
}

static void once_elsewhere(void) {
  elsewhere = true;
  once();
}

static void six(const int order[6]) {
  struct interpreter *interpreters[6];
  for (int i = 0; i < 6; i++) {
    interpreters[i] = create();
    run(interpreters[i]);
  }
  for (int i = 0; i < 6; i++) {
    destroy(interpreters[order[i]]);
  }
  use_another();
  stop(NULL);
}

static void fifo(void) { six((const int[]){0, 1, 2, 3, 4, 5}); }
static void lifo(void) { six((const int[]){5, 4, 3, 2, 1, 0}); }
static void mixed(void) { six((const int[]){2, 0, 5, 1, 3, 4}); }

static void live(int cycles) {
  for (int i = 0; i < cycles; i++) {
    struct interpreter *interpreter = create();
    run(interpreter);
    destroy(interpreter);
  }
}

static void churn(void) {
  live(12);
  stop(NULL);
}

static void *live_in_thread(void *none) {
  live(3);
  return none;
}

static void threads(void) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    pthread_create(&threads[i], NULL, live_in_thread, NULL);
  }
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
  }
  use_another();
  stop(NULL);
}

static const struct situation {
  const char *name;
  void (*function)(void);
} SITUATIONS[] = {
    {"once", once},       {"elsewhere", once_elsewhere},
    {"fifo", fifo},       {"lifo", lifo},
    {"mixed", mixed},     {"churn", churn},
    {"threads", threads},
};

static void live_through(const char *situation) {
  if (strncmp(situation, "stack=", 6) == 0) {
    stack = script_size(situation + 6);
    once();
    return;
  }
  for (size_t i = 0; i < COUNT(SITUATIONS); i++) {
    if (strcmp(SITUATIONS[i].name, situation) == 0) {
      SITUATIONS[i].function();
      return;
    }
  }
  FAIL("there is no situation of the name %s", situation);
}

/* The process of a situation, and how it ends. ---------------------------------------------------
 */

static void close_stdout(void) {
  int ends[2];
  CHECK(pipe(ends) == 0 && dup2(ends[1], STDOUT_FILENO) >= 0, "no pipe");
  close(ends[0]);
  close(ends[1]);
}

static void child(const char *situation) {
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  alarm((unsigned)script_number(&script, "timeout", 60));
  if (flag("closed")) {
    close_stdout();
  }
  subject_start(flag("ignore_sigpipe"), flag("memory"));
  live_through(situation);
  exit(SURVIVED);
}

/* "survived", "exited 3", "died of signal 11", ... */
static void describe(int status, char *text, size_t room) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    snprintf(text, room, "hung");
  } else if (WIFSIGNALED(status)) {
    snprintf(text, room, "died of signal %d", WTERMSIG(status));
  } else if (WEXITSTATUS(status) == SURVIVED) {
    snprintf(text, room, "survived");
  } else if (WEXITSTATUS(status) == FAILED) {
    snprintf(text, room, "failed");
  } else {
    snprintf(text, room, "exited %d", WEXITSTATUS(status));
  }
}

/* What has to come out. */
static void expected(char *text, size_t room) {
  snprintf(text, room, "survived");
  if (flag("exit") && !in_processes()) {
    snprintf(text, room, "exited %ld", script_number(&script, "exit", 0));
  }
}

static bool report_only;

static bool is_uncured(void) {
  char range[32];
  return script_option(&script, "uncured", range, sizeof range) &&
         (*range == '\0' || version_in(subpy_python_version(), range));
}

/* Whether what came out is what has to; what it is goes to `found`. */
static bool put_to(const char *situation, char *found, size_t room) {
  char needed[64] = "";
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    child(situation);
  }
  int status;
  waitpid(pid, &status, 0);
  describe(status, found, room);
  expected(needed, sizeof needed);
  return report_only || is_uncured() || strncmp(found, needed, strlen(needed)) == 0;
}

static bool has_package(const char *name) {
  const char *folder = getenv("SUBPY_HAZARDS_PACKAGES");
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder ? folder : "", name);
  return folder != NULL && access(path, F_OK) == 0;
}

static int put_script_to(const char *file, const char *name, char **situations) {
  char *once_only[] = {"once", NULL}, found[64], text[64];
  script = script_read(file, name);
  if (script_option(&script, "needs", text, sizeof text) &&
      !version_in(subpy_python_version(), text)) {
    printf("needs Python %s\n", text);
    return SKIPPED;
  }
  if (script_option(&script, "package", text, sizeof text) && !has_package(text)) {
    printf("%s is not installed\n", text);
    return SKIPPED;
  }
  if (flag("needs_process") && !in_processes()) {
    printf("it would end the host\n");
    return SKIPPED;
  }
  bool good = true;
  for (char **each = *situations ? situations : once_only; *each != NULL; each++) {
    bool this_good = put_to(*each, found, sizeof found);
    printf("Python %.7s, %s: %s%s\n", subpy_python_version(), *each, found,
           this_good ? "" : ", which is wrong");
    good &= this_good;
  }
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Every module. ----------------------------------------------------------------------------------
 */

/* The names of the standard library's modules, one a line, from a process that is gone then. */
static char *module_names(void) {
  enum { ROOM = 1 << 16 };
  int ends[2];
  CHECK_EQUAL(pipe(ends), 0);
  if (fork() == 0) {
    char code[256];
    /* antigravity opens a browser */
    snprintf(code, sizeof code,
             "import os, sys\n"
             "names = sys.stdlib_module_names - {'antigravity'}\n"
             "os.write(%d, ''.join(f'{name}\\n' for name in sorted(names)).encode())\n",
             ends[1]);
    script = (struct script){.options = "", .code = code, .length = strlen(code)};
    subject_start(false, false);
    run(create());
    _exit(0);
  }
  close(ends[1]);
  char *names = calloc(1, ROOM);
  size_t length = 0;
  ssize_t more;
  while ((more = read(ends[0], names + length, ROOM - 1 - length)) > 0) {
    length += (size_t)more;
  }
  return names;
}

static int put_modules_to(const char *part, char **situations) {
  int number, parts, count = 0, bad = 0;
  CHECK(sscanf(part, "%d/%d", &number, &parts) == 2, "%s", part);
  for (char *name = strtok(module_names(), "\n"); name != NULL; name = strtok(NULL, "\n")) {
    if (count++ % parts != number) {
      continue;
    }
    char code[128], found[64];
    snprintf(code, sizeof code, "import %s", name);
    script = (struct script){.options = "expect=any", .code = code, .length = strlen(code)};
    for (char **each = situations; *each != NULL; each++) {
      bool good = put_to(*each, found, sizeof found);
      if (!good || (report_only && strcmp(found, "survived") != 0)) {
        printf("Python %.7s, %s, %s: %s\n", subpy_python_version(), *each, code, found);
        bad += !good;
      }
    }
  }
  printf("%d modules, every %dth\n", count, parts);
  return bad > 0 || count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* What scripts there are. ------------------------------------------------------------------------
 */

static int list(const char *file) {
  for (const struct script *each = scripts_read(file); each->name != NULL; each++) {
    puts(each->name);
  }
  return EXIT_SUCCESS;
}

static int look_up(const char *table, char **files) {
  const char *text = file_read(table);
  for (char **file = files; *file != NULL; file++) {
    for (const struct script *each = scripts_read(*file); each->name != NULL; each++) {
      char quoted[128];
      snprintf(quoted, sizeof quoted, "`%s`", each->name);
      CHECK(strstr(text, quoted) != NULL, "%s has no %s of %s", table, quoted, *file);
    }
  }
  return EXIT_SUCCESS;
}

int main(int count, char **arguments) {
  report_only = count > 1 && strcmp(arguments[1], "-r") == 0;
  const bool processes = count > 1 && strcmp(arguments[1], "-p") == 0;
  char **rest = arguments + (report_only || processes ? 2 : 1);
  if (processes) {
    setenv("SUBPY_TESTS_BACKEND", "process", 1);
  }
  CHECK(count >= (report_only ? 4 : 3), "usage: %s [-r] FILE NAME [SITUATION...]", arguments[0]);
  if (strcmp(rest[0], "-l") == 0) {
    return list(rest[1]);
  }
  if (strcmp(rest[0], "-t") == 0) {
    return look_up(rest[1], rest + 2);
  }
  if (strcmp(rest[0], "-m") == 0) {
    return put_modules_to(rest[1], rest + 2);
  }
  return put_script_to(rest[0], rest[1], rest + 2);
}
