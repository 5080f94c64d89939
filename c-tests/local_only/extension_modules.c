/*
 * Standard modules in C that CPython 3.12 and 3.13 share between interpreters by mistake: imported
 * in several that come and go in any order, they must not take the process down (a raw host's heap
 * is corrupt then). One child process each. docs/hazards.md has the list.
 */
#include "child.h"

#include <sched.h>

enum { INTERPRETERS = 4 };

/* 3.12 may refuse a module to an interpreter with a GIL of its own: as an ImportError. */
static void import_if_possible(subpy_id id, const char *modules) {
  char code[512];
  snprintf(code, sizeof code,
           "import importlib\n"
           "for name in '%s'.split():\n"
           "    try:\n"
           "        importlib.import_module(name)\n"
           "    except ImportError as e:\n"
           "        assert 'subinterpreters' in str(e) or isinstance(e, ModuleNotFoundError), e\n",
           modules);
  RUN(id, code);
}

static void destroy_when_idle(subpy_id id) {
  while (subpy_destroy(id, NULL) == SUBPY_ERR_BUSY) {
    sched_yield();
  }
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_destroy(id, &error));
}

static void first_in_first_out(void *modules) {
  subpy_id ids[INTERPRETERS];
  INITIALIZE(NULL);
  for (int i = 0; i < INTERPRETERS; i++) {
    CREATE(NULL, &ids[i]);
    import_if_possible(ids[i], modules);
  }
  for (int i = 0; i < INTERPRETERS; i++) {
    DESTROY(ids[i]);
  }
  FINALIZE();
}

static void first_in_last_out(void *modules) {
  subpy_id ids[INTERPRETERS];
  INITIALIZE(NULL);
  for (int i = 0; i < INTERPRETERS; i++) {
    CREATE(NULL, &ids[i]);
    import_if_possible(ids[i], modules);
  }
  for (int i = INTERPRETERS; i > 0; i--) {
    DESTROY(ids[i - 1]);
  }
  FINALIZE();
}

static void one_after_the_other(void *modules) {
  INITIALIZE(NULL);
  for (int i = 0; i < INTERPRETERS; i++) {
    subpy_id id;
    CREATE(NULL, &id);
    import_if_possible(id, modules);
    DESTROY(id);
  }
  FINALIZE();
}

static void *import_in_thread(void *modules) {
  one_after_the_other(modules);
  return NULL;
}

static void in_threads_at_once(void *modules) {
  pthread_t threads[2];
  INITIALIZE(NULL);
  for (size_t i = 0; i < COUNT(threads); i++) {
    threads[i] = thread_start(import_in_thread, modules);
  }
  for (size_t i = 0; i < COUNT(threads); i++) {
    thread_join(threads[i]);
  }
  FINALIZE();
}

static void finalized_with_them(void *modules) {
  INITIALIZE(NULL);
  for (int i = 0; i < INTERPRETERS; i++) {
    subpy_id id;
    CREATE(NULL, &id);
    import_if_possible(id, modules);
  }
  FINALIZE();
}

static void in_any_order(char *modules) {
  IN_CHILD(one_after_the_other, modules);
  IN_CHILD(first_in_first_out, modules);
  IN_CHILD(first_in_last_out, modules);
  IN_CHILD(finalized_with_them, modules);
  IN_CHILD(in_threads_at_once, modules);
}

static void test_datetime(void **state) {
  (void)state;
  in_any_order("datetime zoneinfo _datetime");
}

static void test_decimal_and_statistics(void **state) {
  (void)state;
  in_any_order("decimal statistics fractions");
}

static void test_asyncio(void **state) {
  (void)state;
  in_any_order("asyncio");
}

static void use_asyncio(void *unused) {
  (void)unused;
  subpy_id ids[3];
  INITIALIZE(NULL);
  for (size_t i = 0; i < COUNT(ids); i++) {
    CREATE(NULL, &ids[i]);
  }
  for (size_t i = 0; i < 2 * COUNT(ids); i++) {
    RUN(ids[i % COUNT(ids)],
        "import asyncio, sys\n"
        "caught = []\n"
        "async def wait():\n"
        "    try:\n"
        "        await asyncio.sleep(100)\n"
        "    except asyncio.CancelledError:\n"
        "        caught.append('cancelled')\n"
        "        raise\n"
        "async def fail():\n"
        "    raise ValueError('one')\n"
        "async def main():\n"
        "    assert len(asyncio.all_tasks()) == 1, asyncio.all_tasks()\n"
        "    assert asyncio.current_task().get_loop() is asyncio.get_event_loop()\n"
        "    try:\n"
        "        await asyncio.wait_for(wait(), 0.001)\n"
        "    except asyncio.TimeoutError:\n"
        "        caught.append('timeout')\n"
        "    try:\n"
        "        asyncio.Future().result()\n"
        "    except asyncio.InvalidStateError:\n"
        "        caught.append('invalid')\n"
        "    if sys.version_info >= (3, 11):\n"
        "        try:\n"
        "            async with asyncio.TaskGroup() as tasks:\n"
        "                tasks.create_task(wait())\n"
        "                tasks.create_task(fail())\n"
        "        except BaseExceptionGroup as e:\n"
        "            assert [type(one) for one in e.exceptions] == [ValueError]\n"
        "        assert caught.pop() == 'cancelled'\n"
        "asyncio.run(main())\n"
        "assert caught == ['cancelled', 'timeout', 'invalid'], caught\n"
        "loop = asyncio.new_event_loop()\n"
        "asyncio.set_event_loop(loop)\n"
        "left = loop.create_task(wait())\n"
        "assert asyncio.get_event_loop_policy().get_event_loop() is loop\n"
        "left.cancel()\n"
        "loop.run_until_complete(asyncio.gather(left, return_exceptions=True))\n"
        "loop.close()\n");
  }
  FINALIZE();
}

/* What `asyncio` raises, and what it knows, is each interpreter's own. (To 3.11 its C code has one of each.) */
static void test_asyncio_is_its_own(void **state) {
  (void)state;
  IN_CHILD(use_asyncio, NULL);
}

static void test_sqlite3_and_ssl(void **state) {
  (void)state;
  in_any_order("sqlite3 ssl hashlib");
}

static void give_converters_to_sqlite3(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  const char *const use = "import sqlite3\n"
                          "db = sqlite3.connect(':memory:', detect_types=sqlite3.PARSE_DECLTYPES)\n"
                          "db.execute('create table t (x mine)')\n"
                          "db.execute(\"insert into t values ('a')\")\n"
                          "def read(): return db.execute('select x from t').fetchone()[0]\n";
  subpy_id first, second, third;
  CREATE(NULL, &first);
  CREATE(NULL, &second);
  RUN(first, use);
  RUN(first, "sqlite3.register_converter('mine', lambda text: 'first')");
  RUN(second, use);
  RUN(second, "sqlite3.register_converter('mine', lambda text: 'second')\n"
              "assert read() == 'second'\n");
  DESTROY(second);
  RUN(first, "assert read() == 'first'");
  DESTROY(first);
  CREATE(NULL, &third);
  RUN(third, use);
  RUN(third, "assert read() == 'a'");
  DESTROY(third);
  FINALIZE();
}

/* On 3.10 there is one table of them. */
static void test_what_sqlite3_was_given_goes(void **state) {
  (void)state;
  IN_CHILD(give_converters_to_sqlite3, NULL);
}

static void test_all_of_them(void **state) {
  (void)state;
  in_any_order(
      "datetime decimal asyncio sqlite3 ssl statistics tomllib ctypes xml.etree.ElementTree "
      "csv pickle socket");
}

static void use_a_thread_pool(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  for (int i = 0; i < INTERPRETERS; i++) {
    subpy_id id;
    CREATE(NULL, &id);
    RUN(id, "from concurrent.futures import ThreadPoolExecutor\n"
            "with ThreadPoolExecutor(4) as pool:\n"
            "    assert list(pool.map(abs, range(-9, 0))) == list(range(9, 0, -1))\n");
    destroy_when_idle(id);
  }
  FINALIZE();
}

static void test_functions_that_are_first_called_with_keywords(void **state) {
  (void)state;
  IN_CHILD(use_a_thread_pool, NULL);
}

static void use_datetime(void *unused) {
  (void)unused;
  INITIALIZE(NULL);
  for (int i = 0; i < INTERPRETERS; i++) {
    RUN_IN_NEW(NULL, "import datetime\n"
                     "day = datetime.date(2024, 2, 28) + datetime.timedelta(days=2)\n"
                     "assert day.isoformat() == '2024-03-01', day\n");
  }
  FINALIZE();
}

static void test_datetime_works(void **state) {
  (void)state;
  IN_CHILD(use_datetime, NULL);
}

/* Each calls its own _strptime, also where they share one C module, and the first one is gone. */
static void use_strptime(void *nothing) {
  (void)nothing;
  INITIALIZE(NULL);
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  for (int i = 0; i < 5; i++) {
    subpy_id one, other;
    CREATE(&config, &one);
    CREATE(&config, &other);
    for (int again = 0; again < 40; again++) {
      RUN(one, "import datetime, sys\n"
               "assert datetime.datetime.strptime('2024', '%Y').year == 2024\n"
               "assert datetime.datetime.strptime('1 2 2023', '%d %m %Y').month == 2\n"
               "assert '_strptime' in sys.modules\n"
               "try: datetime.datetime.strptime('x', '%Y')\n"
               "except ValueError as e: assert \"'x' does not match\" in str(e), e\n"
               "else: assert False");
      RUN(other, "import datetime\n"
                 "class Date(datetime.datetime): pass\n"
                 "assert type(Date.strptime('2024', '%Y')) is Date");
    }
    DESTROY(one);
    RUN(other, "assert Date.strptime('2025', '%Y').year == 2025");
    DESTROY(other);
  }
  FINALIZE();
}

static void test_strptime_with_the_shared_gil(void **state) {
  (void)state;
  IN_CHILD(use_strptime, NULL);
}

/* To 3.12 `_decimal` has one ContextVar for all interpreters that share the GIL. */
static void test_a_decimal_context_is_the_interpreters_own(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  subpy_id ids[2];
  INITIALIZE(NULL);
  CREATE(&config, &ids[0]);
  CREATE(&config, &ids[1]);
  RUN(ids[0], "import decimal\ndecimal.getcontext().prec = 5");
  RUN(ids[1], "import decimal\nassert decimal.getcontext().prec == 28, decimal.getcontext()");
  RUN(ids[0], "assert decimal.getcontext().prec == 5, decimal.getcontext()");
  DESTROY(ids[0]);
  DESTROY(ids[1]);
}

static void import_what_prints(void *unused) {
  (void)unused;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  INITIALIZE(NULL);
  RUN_IN_NEW(&config, "import sys\n"
                      "sys.path.insert(0, '" SUBPY_MODULES "')\n"
                      "import prints\n"
                      "assert compile('1 + 1', 'nothing', 'eval')\n");
  FINALIZE();
}

static void test_one_that_prints_while_it_is_made(void **state) {
  (void)state;
  IN_CHILD(import_what_prints, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_datetime),
      cmocka_unit_test(test_decimal_and_statistics),
      cmocka_unit_test(test_asyncio),
      cmocka_unit_test(test_asyncio_is_its_own),
      cmocka_unit_test(test_sqlite3_and_ssl),
      cmocka_unit_test(test_what_sqlite3_was_given_goes),
      cmocka_unit_test(test_all_of_them),
      cmocka_unit_test(test_functions_that_are_first_called_with_keywords),
      cmocka_unit_test(test_one_that_prints_while_it_is_made),
      cmocka_unit_test(test_datetime_works),
      cmocka_unit_test(test_strptime_with_the_shared_gil),
      cmocka_unit_test(test_a_decimal_context_is_the_interpreters_own),
  };
  return RUN_TESTS(tests);
}
