/* What is imported before the processes of interpreters are made. */
#include "files.h"
#include "processes.h"

static struct text said;
static void hear(void *user, const char *message) {
  text_add(user, message, strlen(message));
  text_add(user, "\n", 1);
}

static void write_module(const char *file, const char *code) {
  char path[PATH_ROOM];
  make_file(path, folder, file, code, strlen(code));
}

struct start {
  const char *modules[3];
  size_t count;
  subpy_status expected;
  const char *message, *code, *log;
};

static void start_with(void *argument) {
  const struct start *start = argument;
  const char *const paths[] = {folder};
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  subpy_interpreter_config made = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id id;
  config.module_search_paths = paths;
  config.module_search_paths_count = 1;
  config.preload = start->modules;
  config.preload_count = start->count;
  config.log_fn = hear;
  config.log_user = &said;
  made.backend = SUBPY_BACKEND_PROCESS;
  INITIALIZE(&config);
  for (int i = 0; i < 2; i++) { /* one that fails is tried again */
    REFUSES(start->expected, start->message, subpy_create(&made, &id, &error));
  }
  if (start->expected == SUBPY_OK) {
    RUN(id, start->code);
    CHECK_CONTAINS(text_of(&said), start->log);
    CHECK(start->log[0] != '\0' || said.length == 0, "%s", text_of(&said));
  } else {
    CHECK_EQUAL(id, -1);
  }
  FINALIZE();
}

static void test_they_are_there(void **state) {
  (void)state;
  write_module("counts.py", "import os\nmade_in = os.getpid()\n");
  struct start start = {{"json", "counts", "email.message"},
                        3,
                        SUBPY_OK,
                        "",
                        "import os, sys\n"
                        "assert {'json', 'counts', 'email.message'} <= set(sys.modules)\n"
                        "import counts\n"
                        "assert counts.made_in != os.getpid()\n"
                        "assert set(globals()) >= {'os'} and 'json' not in globals()\n",
                        ""};
  IN_CHILD(start_with, &start);
}

static void test_one_that_is_not_there(void **state) {
  (void)state;
  struct start start = {{"json", "no_such_module"},
                        2,
                        SUBPY_ERR_EXCEPTION,
                        "preload: no_such_module: No module named 'no_such_module'",
                        "",
                        ""};
  IN_CHILD(start_with, &start);
}

static void test_one_that_raises(void **state) {
  (void)state;
  write_module("raises.py", "1 / 0\n");
  struct start start = {{"raises"}, 1, SUBPY_ERR_EXCEPTION, "raises: division by zero", "", ""};
  IN_CHILD(start_with, &start);
}

static void test_one_that_leaves_a_thread(void **state) {
  (void)state;
  write_module("leaves.py",
               "import threading\n"
               "threading.Thread(target=threading.Event().wait, daemon=True).start()\n");
  struct start start = {{"json", "leaves"},
                        2,
                        SUBPY_ERR_UNSUPPORTED,
                        "preload: leaves leaves 1 Python thread",
                        "",
                        ""};
  IN_CHILD(start_with, &start);
}

/* One in C that the module has started. A worker does not have it. */
static void test_one_that_starts_a_thread_in_c(void **state) {
  (void)state;
  write_module("starts.py", "import ctypes\n"
                            "libc = ctypes.CDLL(None)\n"
                            "thread = ctypes.c_ulong()\n"
                            "libc.pthread_create(ctypes.byref(thread), None, libc.pause, None)\n");
  struct start start = {{"starts"},
                        1,
                        SUBPY_OK,
                        "",
                        "import os\nassert len(os.listdir('/proc/self/task')) <= 3",
                        "preload: starts has started 1 thread(s) in C"};
  IN_CHILD(start_with, &start);
}

/* What a module has opened is open in a worker, and the same. */
static void test_what_modules_have_opened(void **state) {
  (void)state;
  write_module("opens.py", "import os, tempfile\n"
                           "files = [tempfile.TemporaryFile() for _ in range(8)]\n"
                           "for number, file in enumerate(files):\n"
                           "    file.write(b'%d' % number)\n"
                           "    file.flush()\n");
  struct start start = {{"opens"},
                        1,
                        SUBPY_OK,
                        "",
                        "import opens\n"
                        "for number, file in enumerate(opens.files):\n"
                        "    file.seek(0)\n"
                        "    assert file.read() == b'%d' % number, number\n",
                        ""};
  IN_CHILD(start_with, &start);
}

/* Each worker has numbers of its own. */
static void test_random_numbers(void **state) {
  (void)state;
  write_module("draws.py", "import random\nrandom.seed(1)\nfirst = random.random()\n");
  struct start start = {{"draws"},
                        1,
                        SUBPY_OK,
                        "",
                        "import random\nassert random.random() != random.Random(1).random()\n",
                        ""};
  IN_CHILD(start_with, &start);
}

/* numpy's generator is not seeded anew by a fork: the zygote does that. (This one has what subpy knows of numpy's.) */
static void draw_twice(void *unused) {
  (void)unused;
  const char *const paths[] = {folder}, *const modules[] = {"numpy.random"};
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.module_search_paths = paths;
  config.module_search_paths_count = 1;
  config.preload = modules;
  config.preload_count = 1;
  INITIALIZE(&config);
  int64_t drawn[3];
  for (int i = 0; i < 3; i++) {
    const subpy_id id = create_process(NULL);
    drawn[i] = number_in(id, "__import__('numpy.random').random.state");
    RUN(id,
        "import sys; assert sys.modules['numpy.random'].seeded_in != __import__('os').getpid()");
    DESTROY(id);
  }
  CHECK(drawn[0] != drawn[1] && drawn[1] != drawn[2] && drawn[0] != drawn[2], "the same numbers");
  CHECK(drawn[0] != 1, "the numbers of the import");
  FINALIZE();
}

static void test_random_numbers_of_numpy(void **state) {
  (void)state;
  char path[PATH_ROOM];
  join_path(path, folder, "numpy");
  CHECK_EQUAL(mkdir(path, 0700), 0);
  write_module("numpy/__init__.py", "");
  write_module("numpy/random.py", "import os\n"
                                  "state = 1\n"
                                  "def seed():\n"
                                  "    global state, seeded_in\n"
                                  "    state = int.from_bytes(os.urandom(7), 'big')\n"
                                  "    seeded_in = os.getpid()\n");
  IN_CHILD(draw_twice, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_they_are_there),
      cmocka_unit_test(test_one_that_is_not_there),
      cmocka_unit_test(test_one_that_raises),
      cmocka_unit_test(test_one_that_leaves_a_thread),
      cmocka_unit_test(test_one_that_starts_a_thread_in_c),
      cmocka_unit_test(test_what_modules_have_opened),
      cmocka_unit_test(test_random_numbers),
      cmocka_unit_test(test_random_numbers_of_numpy),
  };
  return RUN_TESTS_BETWEEN(tests, make_folder, remove_folder);
}
