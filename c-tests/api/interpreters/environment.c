/* The environment of scripts: their own, or the process's. */
#include "child.h"

static subpy_interpreter_config sharing(void) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.share_environment = 1;
  return config;
}

static subpy_id create_with(const subpy_interpreter_config *config, const char *setup) {
  subpy_id id;
  CREATE(config, &id);
  RUN(id, "import os, subprocess, sys, time\n"
          "def child(name): return f'printf %s \"${{{name}-none}}\"'\n"
          "def ways(name):\n"
          "  r, w = os.pipe()\n"
          "  os.set_inheritable(w, True)\n"
          "  assert os.system(child(name) + f' >&{w}') == 0\n"
          "  os.close(w)\n"
          "  with open(r) as pipe: system = pipe.read()\n"
          "  with os.popen(child(name)) as pipe: popen = pipe.read()\n"
          "  run = subprocess.run(['sh', '-c', child(name)], stdout=subprocess.PIPE, "
          "text=True).stdout\n"
          "  closed = subprocess.run(child(name), shell=True, close_fds=False, text=True, "
          "stdout=subprocess.PIPE).stdout\n"
          "  return {os.environ.get(name, 'none'), system, popen, run, closed}\n");
  RUN(id, setup);
  return id;
}

#define NEEDS_SHARED_ENVIRONMENT()                                                                 \
  do {                                                                                             \
    if (!environment_is_of_the_process()) {                                                        \
      skip();                                                                                      \
    }                                                                                              \
  } while (0)

static void test_own(void **state) {
  (void)state;
  setenv("SUBPY_TEST", "of the host", 1);
  const subpy_id one = create_with(NULL, "os.environ['SUBPY_TEST'] = 'of one'\n"
                                         "os.putenv('SUBPY_PUT', 'by one')\n");
  const subpy_id two = create_with(NULL, "del os.environ['SUBPY_TEST']");
  RUN(one, "assert ways('SUBPY_TEST') == {'of one'}, ways('SUBPY_TEST')\n"
           "assert ways('SUBPY_PUT') == {'none', 'by one'}, ways('SUBPY_PUT')");
  RUN(two, "assert ways('SUBPY_TEST') == {'none'}, ways('SUBPY_TEST')\n"
           "assert ways('SUBPY_PUT') == {'none'}");
  CHECK_TEXT(getenv("SUBPY_TEST"), "of the host");
  CHECK(getenv("SUBPY_PUT") == NULL, "it reached the process");
  const subpy_id three = create_with(NULL, "");
  RUN(three, "assert ways('SUBPY_TEST') == {'of the host'}, ways('SUBPY_TEST')");
  setenv("SUBPY_TEST", "later", 1);
  RUN(three, "assert ways('SUBPY_TEST') == {'of the host'}\n"
             "if sys.version_info >= (3, 14):\n"
             "  os.reload_environ()\n"
             "  assert ways('SUBPY_TEST') == {'of the host'}\n"
             "import importlib\n"
             "del sys.modules['posix']\n"
             "assert importlib.import_module('posix').environ[b'SUBPY_TEST'] == b'of the host'");
  unsetenv("SUBPY_TEST");
  DESTROY(one);
  DESTROY(two);
  DESTROY(three);
}

static void test_shared(void **state) {
  (void)state;
  NEEDS_SHARED_ENVIRONMENT();
  const subpy_interpreter_config config = sharing();
  const subpy_id own = create_with(NULL, "");
  const subpy_id one = create_with(&config, "os.environ['SUBPY_TEST'] = 'of one'");
  const subpy_id two = create_with(&config, "");
  CHECK_TEXT(getenv("SUBPY_TEST"), "of one");
  RUN(two, "assert ways('SUBPY_TEST') == {'of one'}, ways('SUBPY_TEST')");
  RUN(own, "assert ways('SUBPY_TEST') == {'none'}, ways('SUBPY_TEST')");
  RUN(one, "del os.environ['SUBPY_TEST']");
  CHECK(getenv("SUBPY_TEST") == NULL, "it is still there");
  RUN(two, "assert ways('SUBPY_TEST') == {'of one', 'none'}, 'a copy, and the process'");
  DESTROY(own);
  DESTROY(one);
  DESTROY(two);
}

static void test_errors(void **state) {
  (void)state;
  NEEDS_SHARED_ENVIRONMENT();
  const subpy_interpreter_config config = sharing();
  for (int i = 0; i < 2; i++) {
    const subpy_id id = create_with(
        i == 0 ? NULL : &config,
        "def fails(kind, call, *args):\n"
        "  try: call(*args)\n"
        "  except kind: return\n"
        "  assert False, (call, args)\n"
        "fails(ValueError, os.putenv, 'a=b', 'c')\n"
        "fails(ValueError, os.putenv, 'a\\0', 'c')\n"
        "fails(ValueError, os.putenv, 'a', 'c\\0')\n"
        "fails(OSError, os.putenv, '', 'c')\n"
        "fails(TypeError, os.putenv, 1, 'c')\n"
        "fails(TypeError, os.putenv, 'a')\n"
        "fails(OSError, os.unsetenv, '')\n"
        "fails(OSError, os.unsetenv, 'a=b')\n"
        "fails(TypeError, os.system, None)\n"
        "fails(ValueError, os.system, 'true\\0')\n"
        "os.unsetenv('SUBPY_NEVER')\n"
        "assert os.waitstatus_to_exitcode(os.system(b'exit 3')) == 3\n"
        "assert os.waitstatus_to_exitcode(os.system('kill -9 $$')) == -9\n"
        "fails(FileNotFoundError, os.posix_spawnp, 'no-such-program-here', ['x'], {})\n"
        "fails(PermissionError if not os.access('/etc/passwd', os.X_OK) else OSError, "
        "os.posix_spawnp, '/etc/passwd', ['x'], {})\n"
        "if sys.version_info < (3, 13): fails(TypeError, os.posix_spawn, '/bin/true', ['x'], "
        "None)\n"
        "seen = []\n"
        "sys.addaudithook(lambda name, args: name[:3] == 'os.' and seen.append((name, args)))\n"
        "os.environ['A'] = 'b'; del os.environ['A']; os.system('true')\n"
        "for event in ('os.putenv', (b'A', b'b')), ('os.unsetenv', (b'A',)), ('os.system', "
        "(b'true',)):\n"
        "  assert event in seen, seen\n"
        "assert os.putenv.__doc__ and os.system.__module__ == 'posix'");
    DESTROY(id);
  }
}

/* A program is found, and gets its variables, by the interpreter's own environment. */
static void test_spawn(void **state) {
  (void)state;
  subpy_id id = create_with(
      NULL,
      "import tempfile\n"
      "place = tempfile.mkdtemp()\n"
      "program = place + '/subpy-test-program'\n"
      "with open(program, 'w') as file:\n"
      "  file.write(f'#!/bin/sh\\nprintf %s \"$SUBPY_TEST\" >{place}/out\\n')\n"
      "os.chmod(program, 0o755)\n"
      "os.environ.update(PATH=place + ':' + os.environ['PATH'], SUBPY_TEST='found')\n"
      "def out():\n"
      "  with open(place + '/out') as file: text = file.read()\n"
      "  os.remove(place + '/out')\n"
      "  return text\n"
      "os.waitpid(os.posix_spawnp('subpy-test-program', ['x'], dict(SUBPY_TEST='given')), 0)\n"
      "assert out() == 'given'\n"
      "if sys.version_info >= (3, 13):\n"
      "  os.waitpid(os.posix_spawnp('subpy-test-program', ['x'], None), 0)\n"
      "  assert out() == 'found'\n"
      "  os.waitpid(os.posix_spawn(program, ['x'], None), 0)\n"
      "  assert out() == 'found'\n"
      "subprocess.run(['subpy-test-program'], check=True)\n"
      "assert out() == 'found'\n"
      "import shutil\n"
      "shutil.rmtree(place)");
  DESTROY(id);
}

static void run_program(void *code) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.allow_exec = 1;
  INITIALIZE(NULL);
  if (exec_ends_the_host()) {
    const subpy_id id = create_with(&config, code);
    (void)id;
    return;
  }
  subpy_id id;
  subpy_error *error = NULL;
  CREATE(&config, &id);
  CHECK_EQUAL(subpy_run_string(id, "import os", NULL), SUBPY_OK);
  CHECK_EQUAL(subpy_run_string(id, code, &error), SUBPY_ERR_LOST);
  _exit(subpy_error_exit_code(error));
}

/* The program that takes this one's place has the interpreter's own environment. */
static void test_exec(void **state) {
  (void)state;
  static char by_path[] =
      "os.environ['SUBPY_TEST'] = 'of a script'\n"
      "os.execv('/bin/sh', ['sh', '-c', 'test \"$SUBPY_TEST\" = \"of a script\" "
      "&& exit 7'])";
  static char by_name[] = "os.environ['SUBPY_TEST'] = 'of a script'\n"
                          "os.execlp('sh', 'sh', '-c', 'test \"$SUBPY_TEST\" = \"of a script\" "
                          "&& exit 7')";
  CHECK_EQUAL(child_status(run_program, by_path), 7 << 8);
  CHECK_EQUAL(child_status(run_program, by_name), 7 << 8);
}

static void test_time_zone(void **state) {
  (void)state;
  setenv("TZ", "UTC0", 1);
  if (!environment_is_of_the_process()) {
    const subpy_id id = create_with(NULL, "os.environ['TZ'] = 'XYZ-3'; time.tzset()\n"
                                          "assert time.tzname[0] == 'XYZ'");
    CHECK_TEXT(getenv("TZ"), "UTC0");
    DESTROY(id);
    return;
  }
  const subpy_interpreter_config config = sharing();
  const subpy_id own = create_with(NULL, "time.tzset()\n"
                                         "assert time.tzname[0] == 'UTC', time.tzname");
  RUN(own,
      "os.environ['TZ'] = 'XYZ-3'\n"
      "try: time.tzset()\n"
      "except RuntimeError as e: assert 'share_environment' in str(e) and 'XYZ-3' in str(e), e\n"
      "else: assert False, time.tzname\n"
      "assert time.tzname[0] == 'UTC' and time.localtime(0).tm_hour == 0\n"
      "os.environ['TZ'] = 'UTC0'; time.tzset()");
  const subpy_id shared = create_with(&config, "os.environ['TZ'] = 'XYZ-3'; time.tzset()\n"
                                               "assert time.tzname[0] == 'XYZ'\n"
                                               "assert time.localtime(0).tm_hour == 3");
  RUN(shared, "del os.environ['TZ']; time.tzset()");
  CHECK(getenv("TZ") == NULL, "it is still there");
  DESTROY(own);
  DESTROY(shared);
}

static void change_in_main(void *nothing) {
  (void)nothing;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.allow_main = 1;
  INITIALIZE(&config);
  RUN(0, "import os; os.environ['SUBPY_TEST'] = 'of main'");
  CHECK_TEXT(getenv("SUBPY_TEST"), "of main");
}

static void test_main_has_the_process(void **state) {
  (void)state;
  IN_CHILD(change_in_main, NULL);
}

static volatile sig_atomic_t changing;

static void is_changing(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)user, (void)args, (void)nargs;
  const subpy_value answer = subpy_bool(changing > 0);
  subpy_host_return(call, &answer);
}

struct work {
  uint32_t shared;
  const char *code;
};

static void *work(void *argument) {
  const struct work *work = argument;
  subpy_interpreter_config config = sharing();
  subpy_id id;
  config.share_environment = work->shared;
  CREATE(&config, &id);
  EXPECT(SUBPY_OK,
         subpy_define_function(id, "host", "is_changing", is_changing, NULL, NULL, &error));
  RUN(id, work->code);
  DESTROY(id);
  return NULL;
}

/* C code reads the environment while another interpreter changes it, which makes it large. */
static void test_in_parallel(void **state) {
  (void)state;
  NEEDS_SHARED_ENVIRONMENT();
  static const char changes[] = "import os\n"
                                "names = [f'SUBPY_{i}' for i in range(8000)]\n"
                                "for name in names: os.environ[name] = name\n"
                                "assert all(os.environ[name] == name for name in names)\n"
                                "for name in names[::40]: del os.environ[name]\n";
  static const char reads[] =
      "import host, time\n"
      "while host.is_changing(): time.tzset(); time.mktime(time.localtime())\n";
  for (uint32_t shared = 0; shared < 2; shared++) {
    struct work changer = {shared, changes}, reader = {shared, reads};
    changing = 1;
    const pthread_t threads[] = {thread_start(work, &reader), thread_start(work, &reader)};
    in_thread(work, &changer);
    changing = 0;
    thread_join(threads[0]);
    thread_join(threads[1]);
  }
}

/* Before this process has initialized Python. */
static const struct CMUnitTest of_children[] = {
    cmocka_unit_test(test_exec),
    cmocka_unit_test(test_main_has_the_process),
};

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_own),       cmocka_unit_test(test_shared),
    cmocka_unit_test(test_errors),    cmocka_unit_test(test_spawn),
    cmocka_unit_test(test_time_zone), cmocka_unit_test(test_in_parallel),
};

int main(void) {
  const int failed = RUN_TESTS(of_children);
  return failed != 0 ? failed : RUN_TESTS_INITIALIZED(tests);
}
