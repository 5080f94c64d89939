/* The C library's locale: a script's is its own. The tests make the locales that they need. */
#include "child.h"

#include <locale.h>

static char folder[] = "/tmp/subpy-locales-XXXXXX";

static void make(const char *name) {
  char command[512];
  snprintf(command, sizeof command,
           "localedef --no-archive -c -i %s -f UTF-8 '%s/%s.UTF-8' >'%s/log' 2>&1 || { cat "
           "'%s/log'; exit 1; }",
           name, folder, name, folder, folder);
  CHECK_EQUAL(system(command), 0);
}

static int make_locales(void) {
  CHECK(mkdtemp(folder) != NULL, "no folder");
  make("fr_FR");
  make("de_DE");
  return setenv("LOCPATH", folder, 1);
}

static void remove_locales(void) {
  char command[64];
  snprintf(command, sizeof command, "rm -r '%s'", folder);
  CHECK_EQUAL(system(command), 0);
}

/* What the host sees is what it has set. */
static void check_host(const char *ctype) {
  CHECK_TEXT(localeconv()->decimal_point, ".");
  CHECK_TEXT(localeconv()->thousands_sep, "");
  CHECK_TEXT(setlocale(LC_CTYPE, NULL), ctype);
  CHECK_TEXT(setlocale(LC_NUMERIC, NULL), "C");
  CHECK(uselocale((locale_t)0) == LC_GLOBAL_LOCALE, "the thread has another locale");
}

static const char FRENCH[] =
    "import decimal, locale, time\n"
    "def is_french():\n"
    "  assert f'{1234.5:n}' == '1\\u202f234,5', f'{1234.5:n}'\n"
    "  assert f'{1234567:n}' == '1\\u202f234\\u202f567'\n"
    "  assert format(decimal.Decimal('1234.5'), 'n') == '1\\u202f234,5'\n"
    "  conventions = locale.localeconv()\n"
    "  assert conventions['decimal_point'] == ',' and conventions['thousands_sep'] == '\\u202f'\n"
    "  assert locale.setlocale(locale.LC_NUMERIC) == 'fr_FR.UTF-8'\n"
    "  return True\n"
    "def is_c():\n"
    "  assert f'{1234.5:n}' == '1234.5' and f'{1234567:n}' == '1234567'\n"
    "  assert format(decimal.Decimal('1234.5'), 'n') == '1234.5'\n"
    "  assert locale.localeconv()['decimal_point'] == '.'\n"
    "  assert locale.setlocale(locale.LC_NUMERIC) == 'C', locale.setlocale(locale.LC_NUMERIC)\n"
    "  assert time.strftime('%A', (2026, 11, 27, 0, 0, 0, 4, 331, 0)) == 'Friday'\n"
    "  return True\n";

static subpy_id create(void) {
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, FRENCH);
  return id;
}

static void test_own(void **state) {
  (void)state;
  const subpy_id one = create(), two = create();
  RUN(one, "assert is_c()\n"
           "assert locale.setlocale(locale.LC_ALL, 'fr_FR.UTF-8') == 'fr_FR.UTF-8'\n"
           "assert is_french()");
  check_host("C");
  RUN(two, "assert is_c()");
  RUN(one,
      "assert is_french()\n"
      "day = time.strftime('%A', (2026, 11, 27, 0, 0, 0, 4, 331, 0))\n"
      "assert day == 'vendredi', day\n"
      "conventions = locale.localeconv()\n"
      "assert conventions['currency_symbol'] == '\\u20ac' and conventions['frac_digits'] == 2\n"
      "assert conventions['int_curr_symbol'] == 'EUR ' and conventions['mon_grouping'] == [3, 0]\n"
      "assert locale.nl_langinfo(locale.CODESET) == 'UTF-8'\n"
      "assert locale.nl_langinfo(locale.DAY_6) == 'vendredi'\n"
      "assert locale.strcoll('\\u00e9t\\u00e9', 'zut') < 0 and locale.strcoll('a', 'B') < 0\n"
      "assert sorted('\\u00e9zaB', key=locale.strxfrm) == ['a', 'B', '\\u00e9', 'z']\n"
      "assert locale.getlocale() == ('fr_FR', 'UTF-8')\n"
      "assert locale.str(0.5) == '0,5' and locale.atof('1\\u202f234,5') == 1234.5\n"
      "assert float('0.5') == 0.5 and repr(0.5) == '0.5'");
  RUN(two, "assert locale.strcoll('\\u00e9t\\u00e9', 'zut') > 0 and locale.strcoll('a', 'B') > 0\n"
           "locale.setlocale(locale.LC_TIME, 'de_DE.UTF-8')\n"
           "assert time.strftime('%A', (2026, 11, 27, 0, 0, 0, 4, 331, 0)) == 'Freitag'\n"
           "assert f'{1234.5:n}' == '1234.5'\n"
           "everything = locale.setlocale(locale.LC_ALL)\n"
           "assert 'LC_TIME=de_DE.UTF-8;' in everything and 'LC_NUMERIC=C;' in everything\n"
           "locale.setlocale(locale.LC_ALL, 'C'); assert is_c()\n"
           "assert locale.setlocale(locale.LC_ALL, everything) == everything\n"
           "assert time.strftime('%A', (2026, 11, 27, 0, 0, 0, 4, 331, 0)) == 'Freitag'");
  DESTROY(one);
  DESTROY(two);
  check_host("C");
}

static void test_errors(void **state) {
  (void)state;
  const subpy_id id = create();
  RUN(id, "def fails(kind, message, call, *args):\n"
          "  try: call(*args)\n"
          "  except kind as e: assert message in str(e), e\n"
          "  else: assert False, (call, args)\n"
          "fails(locale.Error, 'unsupported', locale.setlocale, locale.LC_ALL, 'xx_XX')\n"
          "fails(locale.Error, 'unsupported', locale.setlocale, 99, 'C')\n"
          "fails(locale.Error, 'query', locale.setlocale, 99)\n"
          "import _locale\n"
          "fails(TypeError, '', _locale.setlocale, 'LC_ALL')\n"
          "fails(TypeError, '', _locale.setlocale, 0, 1)\n"
          "fails(ValueError, 'null', _locale.setlocale, 0, 'C\\0')\n"
          "assert is_c()");
  DESTROY(id);
}

/* With a host that has set one category alone, CPython goes through another locale to decode the separator. */
static void test_numeric_alone(void **state) {
  (void)state;
  setlocale(LC_CTYPE, "C.UTF-8");
  const subpy_id id = create();
  RUN(id, "locale.setlocale(locale.LC_NUMERIC, 'fr_FR.UTF-8')\n"
          "assert is_french() and locale.setlocale(locale.LC_CTYPE) == 'C.UTF-8'");
  check_host("C.UTF-8");
  RUN(id, "assert is_french()\n"
          "locale.setlocale(locale.LC_CTYPE, 'C')\n"
          "assert f'{1234.5:n}' == '1\\u202f234,5' and locale.setlocale(locale.LC_CTYPE) == 'C'\n"
          "locale.setlocale(locale.LC_MONETARY, 'de_DE.UTF-8')\n"
          "assert locale.localeconv()['currency_symbol'] == '\\u20ac'");
  check_host("C.UTF-8");
  DESTROY(id);
  setlocale(LC_CTYPE, "C");
}

static void see_host(void *user, subpy_host_call *call, const subpy_value *args, size_t nargs) {
  (void)call, (void)args, (void)nargs;
  check_host("C");
  const subpy_id *other = user;
  RUN(*other, "assert f'{1234.5:n}' == '1.234,5'"); /* a thread has one locale after the other */
  check_host("C");
}

static void see_host_write(void *user, const char *text, size_t length) {
  (void)text, (void)length;
  check_host("C");
  ++*(int *)user;
}

static void test_host_functions_have_the_hosts(void **state) {
  (void)state;
  int written = 0;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = see_host_write;
  config.output_user = &written;
  subpy_id id, other = create();
  CREATE(&config, &id);
  subpy_function_options released = SUBPY_FUNCTION_OPTIONS_INIT;
  released.release_gil = 1;
  EXPECT(SUBPY_OK, subpy_define_function(id, "host", "see", see_host, &other, NULL, &error));
  EXPECT(SUBPY_OK, subpy_define_function_with(id, &released, "host", "see_released", see_host,
                                              &other, NULL, &error));
  RUN(other, "import locale; locale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')");
  RUN(id, FRENCH);
  for (int i = 0; i < 2; i++) {
    RUN(id, "import host, threading\n"
            "locale.setlocale(locale.LC_ALL, 'fr_FR.UTF-8')\n"
            "def use():\n"
            "  host.see(); assert is_french()\n"
            "  host.see_released(); assert is_french()\n"
            "  print('text'); assert is_french()\n"
            "use()\n"
            "thread = threading.Thread(target=use); thread.start(); thread.join()");
    check_host("C");
  }
  CHECK_EQUAL(written, 4);
  DESTROY(id);
  DESTROY(other);
}

/* A host's thread that has a locale of its own gets it back. */
static void test_host_has_one_of_its_own(void **state) {
  (void)state;
  const subpy_id id = create();
  locale_t german = newlocale(LC_ALL_MASK, "de_DE.UTF-8", (locale_t)0);
  CHECK(german != (locale_t)0, "there is no such locale");
  uselocale(german);
  RUN(id, "locale.setlocale(locale.LC_ALL, 'fr_FR.UTF-8'); assert is_french()");
  CHECK(uselocale((locale_t)0) == german, "it has another one");
  RUN(id, "assert is_french()");
  CHECK(uselocale((locale_t)0) == german, "it has another one");
  uselocale(LC_GLOBAL_LOCALE);
  freelocale(german);
  DESTROY(id);
}

static void test_threads_of_a_script(void **state) {
  (void)state;
  const subpy_id id = create();
  RUN(id, "import queue, threading\n"
          "tasks, answers = queue.Queue(), queue.Queue()\n"
          "def work():\n"
          "  while task := tasks.get():\n"
          "    try: answers.put(task())\n"
          "    except Exception as e: answers.put(e)\n"
          "def ask(task):\n"
          "  tasks.put(task)\n"
          "  return answers.get()\n"
          "thread = threading.Thread(target=work); thread.start()\n"
          "assert ask(is_c) is True\n"
          "locale.setlocale(locale.LC_ALL, 'fr_FR.UTF-8')\n"
          "answer = ask(is_french); assert answer is True, answer\n"
          "ask(lambda: locale.setlocale(locale.LC_ALL, 'C'))\n"
          "assert is_c()\n"
          "ask(lambda: locale.setlocale(locale.LC_ALL, 'fr_FR.UTF-8'))\n"
          "assert is_french()\n"
          "assert locale.strcoll('a', 'B') < 0\n"
          "tasks.put(None); thread.join()");
  check_host("C");
  DESTROY(id);
}

/* What '' stands for is in the interpreter's own environment. */
static void test_by_environment(void **state) {
  (void)state;
  const subpy_id id = create();
  RUN(id, "import os\n"
          "for name in list(os.environ):\n"
          "  if name == 'LANG' or name.startswith('LC_'): del os.environ[name]\n"
          "assert locale.setlocale(locale.LC_ALL, '') == 'C'\n"
          "os.environ.update(LANG='de_DE.UTF-8', LC_TIME='fr_FR.UTF-8')\n"
          "assert locale.setlocale(locale.LC_NUMERIC, '') == 'de_DE.UTF-8'\n"
          "assert 'LC_TIME=fr_FR.UTF-8;' in locale.setlocale(locale.LC_ALL, '')\n"
          "os.environ['LC_ALL'] = 'fr_FR.UTF-8'\n"
          "assert locale.setlocale(locale.LC_ALL, '') == 'fr_FR.UTF-8' and is_french()");
  DESTROY(id);
}

static void test_domains(void **state) {
  (void)state;
  const subpy_id one = create(), two = create();
  RUN(one, "assert locale.textdomain(None) == 'messages'\n"
           "assert locale.textdomain('of-one') == 'of-one' == locale.textdomain(None)\n"
           "assert locale.gettext('text') == 'text' == locale.dgettext(None, 'text')\n"
           "assert locale.dcgettext(None, 'text', locale.LC_MESSAGES) == 'text'\n"
           "assert locale.bindtextdomain('of-one', '/tmp/of-one') == '/tmp/of-one'\n"
           "assert locale.bindtextdomain('of-one', None) == '/tmp/of-one'\n"
           "assert locale.bind_textdomain_codeset('of-one', 'UTF-8') == 'UTF-8'\n"
           "assert locale.bind_textdomain_codeset('of-nobody', None) is None\n"
           "try: locale.bindtextdomain('', None)\n"
           "except locale.Error: pass\n"
           "else: assert False");
  RUN(two, "assert locale.textdomain(None) == 'messages'");
  DESTROY(one);
  DESTROY(two);
}

struct work {
  const char *setup, *loop;
};

static void *work(void *argument) {
  const struct work *work = argument;
  const subpy_id id = create();
  RUN(id, work->setup);
  RUN(id, work->loop);
  DESTROY(id);
  return NULL;
}

/* Each has its own, whatever the others ask and set. */
static void test_in_parallel(void **state) {
  (void)state;
  static const struct work all[] = {
      {"locale.setlocale(locale.LC_NUMERIC, 'fr_FR.UTF-8')",
       "for _ in range(1500): is_french(); locale.localeconv()"},
      {"locale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')",
       "for _ in range(5000):\n"
       "  assert f'{1234.5:n}' == '1.234,5'\n"
       "  assert locale.localeconv()['thousands_sep'] == '.'"},
      {"", "for _ in range(1500): is_c(); locale.localeconv()"},
      {"", "for i in range(3000):\n"
           "  name = ('C', 'fr_FR.UTF-8', 'de_DE.UTF-8')[i % 3]\n"
           "  assert locale.setlocale(locale.LC_ALL, name) == name == "
           "locale.setlocale(locale.LC_CTYPE)\n"
           "  assert f'{0.5:n}' == ('0.5' if i % 3 == 0 else '0,5')"},
  };
  setlocale(LC_CTYPE, "C.UTF-8");
  pthread_t threads[COUNT(all)];
  for (size_t i = 0; i < COUNT(all); i++) {
    threads[i] = thread_start(work, (void *)&all[i]);
  }
  for (size_t i = 0; i < COUNT(all); i++) {
    thread_join(threads[i]);
  }
  check_host("C.UTF-8");
  setlocale(LC_CTYPE, "C");
}

static void change_in_main(void *nothing) {
  (void)nothing;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.allow_main = 1;
  INITIALIZE(&config);
  RUN(0, "import locale; locale.setlocale(locale.LC_NUMERIC, 'fr_FR.UTF-8')\n"
         "assert f'{1234.5:n}' == '1\\u202f234,5'");
  CHECK_TEXT(setlocale(LC_NUMERIC, NULL), "fr_FR.UTF-8");
  CHECK_TEXT(localeconv()->decimal_point, ",");
}

static void test_main_has_the_process(void **state) {
  (void)state;
  IN_CHILD(change_in_main, NULL);
}

/* Before this process has initialized Python. */
static const struct CMUnitTest of_children[] = {
    cmocka_unit_test(test_main_has_the_process),
};

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_own),
    cmocka_unit_test(test_errors),
    cmocka_unit_test(test_numeric_alone),
    cmocka_unit_test(test_host_functions_have_the_hosts),
    cmocka_unit_test(test_host_has_one_of_its_own),
    cmocka_unit_test(test_threads_of_a_script),
    cmocka_unit_test(test_by_environment),
    cmocka_unit_test(test_domains),
    cmocka_unit_test(test_in_parallel),
};

int main(void) {
  make_locales();
  const int failed = RUN_TESTS(of_children) + RUN_TESTS_INITIALIZED(tests);
  remove_locales();
  return failed;
}
