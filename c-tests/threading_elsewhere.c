/* `threading` takes the OS thread that imports it first for the main one: which may be gone. */
#include "support.h"

static const char *const USE_THREADING = "import threading\n"
                                         "t = threading.Thread(target=print, kwargs={'end': ''})\n"
                                         "t.start()\n"
                                         "t.join()\n";

static void *import_threading(void *id) {
  RUN(*(subpy_id *)id, "import threading");
  return NULL;
}

static void *use_threading(void *id) {
  RUN(*(subpy_id *)id, USE_THREADING);
  return NULL;
}

static void *destroy(void *id) {
  DESTROY(*(subpy_id *)id);
  return NULL;
}

static void test_imported_there_destroyed_here(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  in_thread(import_threading, &id);
  DESTROY(id);
}

static void test_imported_here_destroyed_there(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "import threading");
  in_thread(destroy, &id);
}

static void test_imported_and_destroyed_in_two_others(void **state) {
  (void)state;
  for (int i = 0; i < 5; i++) {
    subpy_id id;
    CREATE(NULL, &id);
    in_thread(import_threading, &id);
    in_thread(use_threading, &id);
    RUN(id, USE_THREADING);
    in_thread(destroy, &id);
  }
}

static void test_with_a_shared_gil(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  subpy_id id;
  CREATE(&config, &id);
  in_thread(use_threading, &id);
  DESTROY(id);
}

static void test_with_what_threading_runs_at_its_end(void **state) {
  (void)state;
  struct capture capture = {0};
  const subpy_interpreter_config config = capture_config(&capture);
  subpy_id id;
  CREATE(&config, &id);
  in_thread(import_threading, &id);
  RUN(id, "threading._register_atexit(print, 'at its end')");
  in_thread(destroy, &id);
  CHECK_TEXT(text_of(&capture.out), "at its end\n");
  CHECK_TEXT(text_of(&capture.err), "");
  capture_clear(&capture);
}

static void test_a_script_that_breaks_threading(void **state) {
  (void)state;
  const char *const codes[] = {
      "import sys; sys.modules['threading'] = None",
      "import sys; sys.modules['threading'] = 42",
      "import threading; threading._main_thread = None",
      "import threading; threading._shutdown = None",
      "import threading; del threading._main_thread, threading._shutdown, threading.get_ident",
  };
  for (size_t i = 0; i < COUNT(codes); i++) {
    struct capture capture = {0};
    const subpy_interpreter_config config = capture_config(&capture);
    subpy_id id;
    CREATE(&config, &id);
    RUN(id, codes[i]);
    in_thread(destroy, &id);
    EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(id, &error));
    capture_clear(&capture);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_imported_there_destroyed_here),
      cmocka_unit_test(test_imported_here_destroyed_there),
      cmocka_unit_test(test_imported_and_destroyed_in_two_others),
      cmocka_unit_test(test_with_a_shared_gil),
      cmocka_unit_test(test_with_what_threading_runs_at_its_end),
      cmocka_unit_test(test_a_script_that_breaks_threading),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
