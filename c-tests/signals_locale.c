/* The process's signal handlers, locale and environment stay as the host has set them. */
#include "child.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>

extern char **environ;

static void on_signal(int number) { (void)number; }

struct surroundings {
  struct sigaction actions[65];
  char locale[1024];
  char directory[1024];
  size_t variables;
  sigset_t mask;
};

static void look_around(struct surroundings *seen) {
  memset(seen, 0, sizeof *seen);
  for (int number = 1; number < (int)COUNT(seen->actions); number++) {
    if (sigaction(number, NULL, &seen->actions[number]) != 0) {
      CHECK_EQUAL(errno, EINVAL); /* the C library's own */
    }
  }
  snprintf(seen->locale, sizeof seen->locale, "%s", setlocale(LC_ALL, NULL));
  CHECK(getcwd(seen->directory, sizeof seen->directory) != NULL, "no working directory");
  while (environ[seen->variables] != NULL) {
    seen->variables++;
  }
  CHECK_EQUAL(pthread_sigmask(SIG_SETMASK, NULL, &seen->mask), 0);
}

static void check_unchanged(const struct surroundings *before, const char *when) {
  struct surroundings now;
  look_around(&now);
  for (int number = 1; number < (int)COUNT(now.actions); number++) {
    CHECK(now.actions[number].sa_handler == before->actions[number].sa_handler &&
              now.actions[number].sa_flags == before->actions[number].sa_flags,
          "signal %d after %s", number, when);
    CHECK(sigismember(&now.mask, number) == sigismember(&before->mask, number),
          "the mask of signal %d after %s", number, when);
  }
  CHECK(strcmp(now.locale, before->locale) == 0, "locale %s after %s", now.locale, when);
  CHECK(strcmp(now.directory, before->directory) == 0, "in %s after %s", now.directory, when);
  CHECK(now.variables == before->variables, "%zu environment variables after %s", now.variables,
        when);
}

static void live_a_life(void *locale) {
  struct surroundings before;
  CHECK(setlocale(LC_ALL, locale) != NULL, "no locale %s", (const char *)locale);
  look_around(&before);
  subpy_id id;
  INITIALIZE(NULL);
  check_unchanged(&before, "subpy_initialize");
  CREATE(NULL, &id);
  check_unchanged(&before, "subpy_create");
  RUN(id, "import json, os, re, threading");
  check_unchanged(&before, "subpy_run_string");
  DESTROY(id);
  check_unchanged(&before, "subpy_destroy");
  FINALIZE();
  check_unchanged(&before, "subpy_finalize");
}

static void live_a_life_with_handlers(void *locale) {
  struct sigaction action = {0};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  const int own[] = {SIGINT, SIGPIPE, SIGTERM, SIGUSR1};
  for (size_t i = 0; i < COUNT(own); i++) {
    CHECK_EQUAL(sigaction(own[i], &action, NULL), 0);
  }
  live_a_life(locale);
}

static void test_a_host_that_has_set_nothing(void **state) {
  (void)state;
  IN_CHILD(live_a_life, "C");
}

static void test_a_host_with_handlers(void **state) {
  (void)state;
  IN_CHILD(live_a_life_with_handlers, "C");
}

static void test_a_host_with_a_locale(void **state) {
  (void)state;
  if (setlocale(LC_ALL, "C.UTF-8") == NULL) {
    skip();
  }
  IN_CHILD(live_a_life, "C.UTF-8");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_host_that_has_set_nothing),
      cmocka_unit_test(test_a_host_with_handlers),
      cmocka_unit_test(test_a_host_with_a_locale),
  };
  return RUN_TESTS(tests);
}
