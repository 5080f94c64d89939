/* What one interpreter's setting changes for another: docs/isolation.md has the table. */
#include "support.h"

enum kind {
  OWN,              /* nobody else sees it */
  OWN_SINCE_3_11,   /* on 3.10 all see it */
  OWN_SINCE_3_12,   /* to 3.11 all see it */
  OWN_WITH_OWN_GIL, /* those with the same GIL see it */
  OF_PROCESS,       /* all see it */
};

struct setting {
  enum kind kind;
  const char *name;
  int since; /* 3.x */
  const char *setup, *set, *read, *undo;
};

#define MODULE(module) "import " module
#define NOTHING ""

static const struct setting settings[] = {
    {OWN, "os.environ", 0, MODULE("os"), "os.environ['SUBPY_A'] = '1'",
     "os.system('exit $SUBPY_A')", NOTHING},
    {OWN, "os.putenv", 0, MODULE("os"), "os.putenv('SUBPY_A', '1')", "os.system('exit $SUBPY_A')",
     NOTHING},
    {OWN, "locale.setlocale", 0, MODULE("locale"), "locale.setlocale(locale.LC_CTYPE, 'C.UTF-8')",
     "locale.setlocale(locale.LC_ALL)", NOTHING},
    {OWN, "locale.textdomain", 0, MODULE("locale"), "locale.textdomain('a')",
     "locale.textdomain(None)", NOTHING},
    {OWN_SINCE_3_12, "socket.setdefaulttimeout", 0, MODULE("socket"), "socket.setdefaulttimeout(3)",
     "socket.getdefaulttimeout()", "socket.setdefaulttimeout(None)"},
    {OWN, "csv.field_size_limit", 0, MODULE("csv"), "csv.field_size_limit(7)",
     "csv.field_size_limit()", NOTHING},
    {OWN, "csv.register_dialect", 0, MODULE("csv"), "csv.register_dialect('a', delimiter='|')",
     "csv.list_dialects()", NOTHING},
    {OWN_SINCE_3_11, "sqlite3.register_converter", 0, MODULE("sqlite3"),
     "sqlite3.register_converter('mine', str)", "'MINE' in sqlite3.converters", NOTHING},
    {OWN, "threading.stack_size", 0, MODULE("threading"), "threading.stack_size(1 << 20)",
     "threading.stack_size()", NOTHING},
    {OWN, "threading.settrace", 0, MODULE("threading"), "threading.settrace(print)",
     "threading.gettrace()", NOTHING},
    {OWN_WITH_OWN_GIL, "sys.setswitchinterval", 0, MODULE("sys"), "sys.setswitchinterval(0.25)",
     "sys.getswitchinterval()", "sys.setswitchinterval(0.005)"},
    {OWN, "sys.setrecursionlimit", 0, MODULE("sys"), "sys.setrecursionlimit(777)",
     "sys.getrecursionlimit()", NOTHING},
    {OWN, "sys.set_int_max_str_digits", 0, MODULE("sys"), "sys.set_int_max_str_digits(777)",
     "sys.get_int_max_str_digits()", NOTHING},
    {OWN, "sys.setdlopenflags", 0, MODULE("os, sys"),
     "sys.setdlopenflags(os.RTLD_NOW | os.RTLD_GLOBAL)", "sys.getdlopenflags()", NOTHING},
    {OWN, "sys.path", 0, MODULE("sys"), "sys.path.append('/a')", "sys.path", NOTHING},
    {OWN, "sys.argv", 0, MODULE("sys"), "sys.argv = ['a']", "sys.argv", NOTHING},
    {OWN, "sys.modules", 0, MODULE("sys"), "sys.modules['a'] = sys", "'a' in sys.modules", NOTHING},
    {OWN, "sys.meta_path", 0, MODULE("sys"), "sys.meta_path.append(None)", "len(sys.meta_path)",
     NOTHING},
    {OWN, "sys.excepthook", 0, MODULE("sys"), "sys.excepthook = print", "sys.excepthook is print",
     NOTHING},
    {OWN, "sys.stdout", 0, MODULE("sys"), "sys.stdout = None", "sys.stdout is None", NOTHING},
    {OWN, "sys.addaudithook", 0, "import sys; seen = []",
     "sys.addaudithook(lambda *a: seen.append(a))", "len(seen)", NOTHING},
    {OWN, "sys.monitoring.use_tool_id", 12, MODULE("sys"), "sys.monitoring.use_tool_id(3, 'a')",
     "sys.monitoring.get_tool(3)", NOTHING},
    {OWN, "builtins", 0, MODULE("builtins"), "builtins.a = 1", "hasattr(builtins, 'a')", NOTHING},
    {OWN, "syslog.setlogmask", 0, MODULE("syslog"), "syslog.setlogmask(1)", "syslog.setlogmask(0)",
     NOTHING},
    {OWN_SINCE_3_12, "object.__subclasses__", 0, NOTHING, "class OnlyHere: pass",
     "'OnlyHere' in [c.__name__ for c in object.__subclasses__()]", NOTHING},
    {OWN, "gc.set_threshold", 0, MODULE("gc"), "gc.set_threshold(7)", "gc.get_threshold()",
     NOTHING},
    {OWN, "gc.disable", 0, MODULE("gc"), "gc.disable()", "gc.isenabled()", NOTHING},
    {OWN, "gc.freeze", 0, MODULE("gc"), "gc.freeze()", "gc.get_freeze_count() > 0", NOTHING},
    {OWN, "gc.set_debug", 0, MODULE("gc"), "gc.set_debug(gc.DEBUG_SAVEALL)", "gc.get_debug()",
     NOTHING},
    {OWN, "gc.callbacks", 0, MODULE("gc"), "gc.callbacks.append(print)", "len(gc.callbacks)",
     NOTHING},
    {OWN, "codecs.register_error", 0, MODULE("codecs"), "codecs.register_error('strict', print)",
     "codecs.lookup_error('strict') is print", NOTHING},
    {OWN, "warnings.simplefilter", 0, MODULE("warnings"), "warnings.simplefilter('error')",
     "warnings.filters[:1]", NOTHING}, /* a debug build begins without any */
    {OWN, "logging.disable", 0, MODULE("logging"), "logging.disable(50)",
     "logging.root.manager.disable", NOTHING},
    {OWN, "copyreg.pickle", 0, MODULE("copyreg"), "copyreg.pickle(slice, print)",
     "slice in copyreg.dispatch_table", NOTHING},
    {OWN, "abc.ABCMeta.register", 0, "import collections.abc",
     "collections.abc.Sized.register(int)", "issubclass(int, collections.abc.Sized)", NOTHING},
    {OWN, "random.seed", 0, "import random; random.seed(1)", "random.seed(2)",
     "random.Random(1).random()", NOTHING},
    {OWN, "tempfile.tempdir", 0, MODULE("tempfile"), "tempfile.tempdir = '/a'",
     "tempfile.gettempdir()", NOTHING},
    {OWN, "mimetypes.add_type", 0, MODULE("mimetypes"), "mimetypes.add_type('a/b', '.subpy')",
     "mimetypes.guess_type('x.subpy')", NOTHING},
    {OWN, "linecache.cache", 0, MODULE("linecache"), "linecache.cache['a'] = (1, None, ['a'], 'a')",
     "linecache.getline('a', 1)", NOTHING},
    {OWN, "multiprocessing.set_start_method", 0, MODULE("multiprocessing"),
     "multiprocessing.set_start_method('spawn')", "multiprocessing.get_start_method(True)",
     NOTHING},
    {OWN, "decimal.getcontext", 0, MODULE("decimal"), "decimal.getcontext().prec = 9",
     "decimal.getcontext().prec", NOTHING},
    {OWN, "contextvars", 0, "import contextvars; v = contextvars.ContextVar('v', default=0)",
     "v.set(1)", "v.get()", NOTHING},
    {OWN, "asyncio.set_event_loop", 0, "import asyncio.events as e",
     "e.set_event_loop(loop := e.new_event_loop())", "e._get_running_loop()", "loop.close()"},
    {OWN, "sys.settrace", 0, MODULE("sys"), "sys.settrace(lambda *a: None)", "sys.gettrace()",
     NOTHING},
    {OF_PROCESS, "locale.bindtextdomain", 0, MODULE("locale, time"),
     "locale.bindtextdomain('subpy', f'/{time.monotonic_ns()}')",
     "locale.bindtextdomain('subpy', None)", NOTHING},
    {OF_PROCESS, "os.chdir", 0, "import os; was = os.getcwd()", "os.chdir('/')", "os.getcwd()",
     "os.chdir(was)"},
    {OF_PROCESS, "os.umask", 0, MODULE("os"), "was = os.umask(0o13)",
     "[line for line in open('/proc/self/status') if line.startswith('Umask')]", "os.umask(was)"},
    {OF_PROCESS, "resource.setrlimit", 0,
     "import resource as r; was = r.getrlimit(r.RLIMIT_NOFILE)",
     "r.setrlimit(r.RLIMIT_NOFILE, (was[0] - 1, was[1]))", "r.getrlimit(r.RLIMIT_NOFILE)",
     "r.setrlimit(r.RLIMIT_NOFILE, was)"},
    {OF_PROCESS, "os.set_inheritable", 0, MODULE("os"),
     "os.set_inheritable(0, not os.get_inheritable(0))", "os.get_inheritable(0)",
     "os.set_inheritable(0, not os.get_inheritable(0))"},
};

/* What an interpreter reads, as text. */
static char *read_in(subpy_id id, const struct setting *setting) {
  char code[512];
  subpy_value value;
  snprintf(code, sizeof code, "repr(%s)", setting->read);
  EXPECT(SUBPY_OK, subpy_eval(id, code, &value, &error));
  char *text = strdup(subpy_value_text(&value));
  subpy_value_clear(&value);
  return text;
}

static void check_setting(const struct setting *setting, uint32_t gil) {
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = gil;
  subpy_id one, other;
  CREATE(&config, &one);
  CREATE(&config, &other);
  RUN(one, setting->setup);
  RUN(other, setting->setup);
  char *before = read_in(other, setting);
  RUN(one, setting->set);
  char *after = read_in(other, setting);
  const bool seen = strcmp(before, after) != 0;
  const bool own = setting->kind == OWN ||
                   (setting->kind == OWN_SINCE_3_11 && python_at_least(3, 11)) ||
                   (setting->kind == OWN_SINCE_3_12 && python_at_least(3, 12)) ||
                   (setting->kind == OWN_WITH_OWN_GIL && gil != SUBPY_GIL_SHARED);
  CHECK(seen != own, "%s: another interpreter reads %s, and read %s before", setting->name, after,
        before);
  RUN(one, setting->undo);
  free(before);
  free(after);
  DESTROY(one);
  DESTROY(other);
}

static void check_all(uint32_t gil) {
  for (size_t i = 0; i < COUNT(settings); i++) {
    if (python_at_least(3, settings[i].since)) {
      check_setting(&settings[i], gil);
    }
  }
}

static void test_own_gil(void **state) {
  (void)state;
  if (python_at_least(3, 12)) {
    check_all(SUBPY_GIL_OWN);
  }
}

static void test_shared_gil(void **state) {
  (void)state;
  check_all(SUBPY_GIL_SHARED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_own_gil),
      cmocka_unit_test(test_shared_gil),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
