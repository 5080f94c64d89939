/* What scripts run at the end of their interpreter: exit functions and finalizers of objects. */
#include "fixture.h"

static void test_exit_functions_in_reverse_order(void **state) {
  (void)state;
  RUN(id, "import atexit\n"
          "atexit.register(print, 'second', end='')\n"
          "atexit.register(print, 'first')\n");
  CHECK_TEXT(text_of(&capture.out), "");
  DESTROY(id);
  CHECK_TEXT(text_of(&capture.out), "first\nsecond");
  CHECK_TEXT(text_of(&capture.err), "");
}

static void test_an_exit_function_that_raises(void **state) {
  (void)state;
  RUN(id, "import atexit, sys\n"
          "def fail(): raise ValueError('at the end')\n"
          "atexit.register(print, 'the others run')\n"
          "atexit.register(fail)\n"
          "atexit.register(sys.exit, 3)\n");
  DESTROY(id);
  CHECK_TEXT(text_of(&capture.out), "the others run\n");
  CHECK_CONTAINS(text_of(&capture.err), "ValueError: at the end\n");
}

static void test_an_exit_function_that_runs_code(void **state) {
  (void)state;
  RUN(id, "import atexit\n"
          "def late():\n"
          "    import json, subprocess, threading\n"
          "    t = threading.Thread(target=print, args=('in a thread',))\n"
          "    t.start()\n"
          "    t.join()\n"
          "    print(json.dumps([1]))\n"
          "atexit.register(late)\n");
  /* The thread that it started is joined, but may not be gone. */
  subpy_error *error = UNWRITTEN;
  subpy_status got = destroy_within(id, UINT32_MAX, &error);
  while (got == SUBPY_ERR_BUSY) {
    subpy_error_free(error);
    got = destroy_within(id, UINT32_MAX, &error);
  }
  check_call(__FILE__, __LINE__, "destroy", SUBPY_OK, got, "", error);
  CHECK_TEXT(text_of(&capture.out), "in a thread\n[1]\n");
  CHECK_TEXT(text_of(&capture.err), "");
}

static void test_an_exit_function_that_starts_a_thread(void **state) {
  (void)state;
  int ends[2];
  char code[512], end[128];
  CHECK_EQUAL(pipe(ends), 0);
  open_in_script(end, sizeof end, ends[0], "O_RDONLY");
  snprintf(code, sizeof code,
           "import atexit, os, threading\n"
           "def late():\n"
           "    print('once')\n"
           "    threading.Thread(target=os.read, args=(end, 1)).start()\n"
           "atexit.register(late)\n"
           "end = %s\n",
           end);
  RUN(id, code);
  if (threads_hold_up_destroy()) {
    REFUSES(SUBPY_ERR_BUSY, "1 Python thread ", subpy_destroy(id, &error));
    RUN(id, "x = 1");
  }
  close(ends[1]);
  EXPECT(SUBPY_OK, destroy_within(id, UINT32_MAX, &error));
  CHECK_TEXT(text_of(&capture.out), "once\n");
  close(ends[0]);
}

static void test_what_a_script_has_put_in_the_place_of_atexit(void **state) {
  (void)state;
  RUN(id, "import sys\n"
          "class Other:\n"
          "    def _ncallbacks(self): raise ValueError\n"
          "    def _clear(self): print('cleared')\n"
          "sys.modules['atexit'] = Other()\n");
  DESTROY(id);
  CHECK_TEXT(text_of(&capture.out), "cleared\n");
  CHECK_TEXT(text_of(&capture.err), "");
}

static void test_finalizers_of_objects(void **state) {
  (void)state;
  RUN(id, "class Thing:\n"
          "    def __del__(self): print('gone')\n"
          "one, two = Thing(), [Thing()]\n");
  DESTROY(id);
  CHECK_TEXT(text_of(&capture.out), "gone\ngone\n");
}

static void test_finalizers_that_misbehave(void **state) {
  (void)state;
  RUN(id, "class Raises:\n"
          "    def __del__(self): raise ValueError('as it goes')\n"
          "class Exits:\n"
          "    def __del__(self): raise SystemExit(3)\n"
          "class Starts:\n"
          "    def __del__(self):\n"
          "        import _thread\n"
          "        _thread.start_new_thread(print, ('started',))\n"
          "class Imports:\n"
          "    def __del__(self): import json\n"
          "raises, exits, starts, imports = Raises(), Exits(), Starts(), Imports()\n");
  DESTROY(id);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(id, &error));
  CHECK_CONTAINS(text_of(&capture.err), "ValueError: as it goes\n");
  CHECK(strstr(text_of(&capture.out), "started") == NULL, "a thread was started at the end");
}

struct inside {
  subpy_id id;
  int calls;
};

static void call_at_the_end(void *user, const char *text, size_t length) {
  struct inside *inside = user;
  subpy_id current = -1;
  (void)text, (void)length;
  inside->calls++;
  EXPECT(SUBPY_OK, subpy_get_current(&current, &error));
  CHECK_EQUAL(current, inside->id);
  EXPECT(SUBPY_ERR_BUSY, subpy_run_string(inside->id, "x = 1", &error));
  EXPECT(SUBPY_ERR_BUSY, subpy_destroy(inside->id, &error));
  EXPECT(SUBPY_ERR_BUSY, subpy_finalize(&error));
  RUN_IN_NEW(NULL, "import json");
}

static void test_callbacks_at_the_end_may_call(void **state) {
  (void)state;
  struct inside inside = {0, 0};
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = call_at_the_end;
  config.output_user = &inside;
  CREATE(&config, &inside.id);
  RUN(inside.id, "import atexit\natexit.register(print, 'end')");
  DESTROY(inside.id);
  CHECK_EQUAL(inside.calls, 1);
  DESTROY(id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_exit_functions_in_reverse_order),
      TEST(test_an_exit_function_that_raises),
      TEST(test_an_exit_function_that_runs_code),
      TEST(test_an_exit_function_that_starts_a_thread),
      TEST(test_what_a_script_has_put_in_the_place_of_atexit),
      TEST(test_finalizers_of_objects),
      TEST(test_finalizers_that_misbehave),
      TEST(test_callbacks_at_the_end_may_call),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
