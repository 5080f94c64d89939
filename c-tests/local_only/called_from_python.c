/* Functions of the host that a script calls through ctypes: with the GIL held, or without. */
#include "support.h"

#include <inttypes.h>

static subpy_id self, other;
static int calls;

static int host_function(void) {
  subpy_id id = -1;
  bool running = false;
  calls++;
  EXPECT(SUBPY_OK, subpy_get_current(&id, &error));
  CHECK_EQUAL(id, self);
  EXPECT(SUBPY_OK, subpy_is_running(self, &running, &error));
  CHECK(running, "not running inside of a call");
  RUN(self, "x += 100");
  EXPECT(SUBPY_ERR_BUSY, subpy_destroy(self, &error));
  EXPECT(SUBPY_ERR_BUSY, subpy_finalize(&error));
  RUN(other, "y += 1");
  RUN_IN_NEW(NULL, "import json, threading");
  EXPECT(SUBPY_OK, subpy_get_current(&id, &error));
  CHECK_EQUAL(id, self);
  return 42;
}

/* Has a script call host_function() through a kind of ctypes' function. */
static void call_as(const char *kind) {
  int (*const function)(void) = host_function;
  uintptr_t address;
  char code[512];
  memcpy(&address, &function, sizeof address);
  snprintf(code, sizeof code,
           "import ctypes\n"
           "x = 1\n"
           "call = ctypes.%s(ctypes.c_int)(%" PRIuPTR ")\n"
           "assert call() == 42\n"
           "assert x == 101\n",
           kind, address);
  calls = 0;
  RUN(other, "y = 0");
  RUN(self, code);
  CHECK_EQUAL(calls, 1);
  RUN(other, "assert y == 1, y");
  RUN(self, "x += 1");
}

static int create(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED; /* ctypes wants that before 3.13 */
  CREATE(&config, &self);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  DESTROY(self);
  DESTROY(other);
  return 0;
}

static void test_with_the_gil_held(void **state) {
  (void)state;
  CREATE(NULL, &other);
  call_as("PYFUNCTYPE");
}

static void test_with_the_gil_released(void **state) {
  (void)state;
  CREATE(NULL, &other);
  call_as("CFUNCTYPE");
}

static void test_with_the_gil_held_that_the_other_needs(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  CREATE(&config, &other);
  call_as("PYFUNCTYPE");
}

static void *call_in_thread(void *unused) {
  call_as("PYFUNCTYPE");
  return unused;
}

static void test_in_another_thread(void **state) {
  (void)state;
  CREATE(NULL, &other);
  in_thread(call_in_thread, NULL);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, create, destroy)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_with_the_gil_held),
      TEST(test_with_the_gil_released),
      TEST(test_with_the_gil_held_that_the_other_needs),
      TEST(test_in_another_thread),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
