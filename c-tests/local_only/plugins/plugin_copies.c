/*
 * Two copies of subpy in one process: static in two plugins, or two files of the shared library. The
 * second one is refused, and told where the first one is.
 */
#include "child.h"

#include <dlfcn.h>

/* A copy of subpy, loaded. */
struct copy {
  const char *file;
  __typeof__(&subpy_initialize) initialize;
  __typeof__(&subpy_finalize) finalize;
  __typeof__(&subpy_create) create;
  __typeof__(&subpy_run_string) run_string;
  __typeof__(&subpy_error_message) error_message;
};

static struct copy load(const char *file) {
  struct copy copy;
  void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  CHECK(library != NULL, "%s", dlerror());
  copy.file = file;
  *(void **)&copy.initialize = dlsym(library, "subpy_initialize");
  *(void **)&copy.finalize = dlsym(library, "subpy_finalize");
  *(void **)&copy.create = dlsym(library, "subpy_create");
  *(void **)&copy.run_string = dlsym(library, "subpy_run_string");
  *(void **)&copy.error_message = dlsym(library, "subpy_error_message");
  CHECK(copy.initialize != NULL && copy.error_message != NULL, "%s", dlerror());
  return copy;
}

static void refused(const struct copy *copy, const struct copy *first) {
  subpy_error *error = NULL;
  CHECK_EQUAL(copy->initialize(NULL, &error), SUBPY_ERR_NOT_PERMITTED);
  CHECK_CONTAINS(copy->error_message(error), first->file);
}

static void two_copies(void *argument) {
  const char *const *files = argument;
  const struct copy first = load(files[0]), second = load(files[1]);
  subpy_error *error = NULL;
  subpy_id id;
  CHECK_EQUAL(first.initialize(NULL, NULL), SUBPY_OK);
  refused(&second, &first);
  refused(&second, &first);
  CHECK_EQUAL(first.initialize(NULL, NULL), SUBPY_OK); /* the first one counts on */
  CHECK_EQUAL(first.create(NULL, &id, NULL), SUBPY_OK);
  CHECK(first.run_string(id, "x = 1", &error) == SUBPY_OK, "%s", first.error_message(error));
  CHECK_EQUAL(first.finalize(NULL), SUBPY_OK);
  CHECK_EQUAL(first.finalize(NULL), SUBPY_OK);
  refused(&second, &first); /* Python is started once in a process */
}

static void test_pair(void **state) { IN_CHILD(two_copies, *state); }

/* Each starts at the same time: one of them may. */
struct racer {
  struct copy copy;
  struct gate *start;
  subpy_status status;
};

static void *initialize(void *argument) {
  struct racer *racer = argument;
  gate_wait(racer->start);
  racer->status = racer->copy.initialize(NULL, NULL);
  return NULL;
}

static void race(void *argument) {
  const char *const *files = argument;
  struct gate start = GATE_INIT;
  struct racer one = {load(files[0]), &start, SUBPY_OK}, other = {load(files[1]), &start, SUBPY_OK};
  const pthread_t thread = thread_start(initialize, &one);
  gate_open(&start);
  initialize(&other);
  thread_join(thread);
  CHECK_EQUAL(one.status + other.status, SUBPY_OK + SUBPY_ERR_NOT_PERMITTED);
}

static void test_race(void **state) {
  for (int i = 0; i < 10; i++) {
    IN_CHILD(race, *state);
  }
}

int main(void) {
  static const char *files[] = {SUBPY_LIBRARY, SUBPY_OTHER_LIBRARY, SUBPY_PLUGIN_1, SUBPY_PLUGIN_2};
  static const char *pairs[][2] = {{SUBPY_LIBRARY, SUBPY_OTHER_LIBRARY},
                                   {SUBPY_PLUGIN_1, SUBPY_PLUGIN_2},
                                   {SUBPY_PLUGIN_2, SUBPY_LIBRARY},
                                   {SUBPY_LIBRARY, SUBPY_PLUGIN_1}};
  struct CMUnitTest tests[COUNT(pairs) + 1];
  for (size_t i = 0; i < COUNT(pairs); i++) {
    const struct CMUnitTest test = {"a pair", test_pair, NULL, NULL, (void *)pairs[i]};
    tests[i] = test;
  }
  const struct CMUnitTest at_once = {"at once", test_race, NULL, NULL, (void *)files};
  tests[COUNT(pairs)] = at_once;
  return RUN_TESTS(tests);
}
