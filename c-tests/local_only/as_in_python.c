/* What scripts see of subpy's own functions, and of CPython's types: what they would see in a plain Python. */
#include "child.h"

/* Those that replace functions in C are such, whoever asks. */
static void test_functions_are_built_in(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "import _signal, _thread, faulthandler, inspect, os, pickle, pydoc, signal, time\n"
          "functions = [os.putenv, os.kill, os.posix_spawn, os.fork, time.tzset, "
          "_signal.raise_signal,\n"
          "             _signal.pthread_sigmask, _thread.start_new_thread, _thread.get_ident,\n"
          "             faulthandler.enable, faulthandler.dump_traceback_later]\n"
          "for f in functions:\n"
          "  assert inspect.isbuiltin(f) and f.__doc__, f\n"
          "  assert repr(f) == f'<built-in function {f.__name__}>', f\n"
          "  assert f.__qualname__ == f.__name__, f\n"
          "  assert pickle.loads(pickle.dumps(f)) is f, f\n"
          "  pydoc.render_doc(f)\n"
          "for f in os.putenv, os.kill, _thread.get_ident, faulthandler.is_enabled, "
          "_signal.raise_signal:\n"
          "  inspect.signature(f)\n"
          "assert str(inspect.signature(os.kill)) == '(pid, signal, /)'\n"
          "assert list(inspect.signature(_thread.interrupt_main).parameters) == ['signum']\n"
          "assert os.kill.__module__ == 'posix'\n");
  /* A function in C is no method where it is an attribute of a class. */
  RUN(id, "class Sender:\n"
          "  send = os.kill\n"
          "Sender().send(os.getpid(), 0)\n"
          "assert type(os.kill) is type(len)\n");
  /* They say what is wrong in their own name, and take names of arguments. */
  RUN(id, "try: os.kill()\n"
          "except TypeError as e: assert str(e).startswith('kill() '), e\n"
          "else: assert False\n"
          "faulthandler.dump_traceback(file=open(os.devnull, 'w'), all_threads=False)\n");
  DESTROY(id);
}

/* Ours are made when one is called for the first time: once, by whichever thread. */
static void test_first_call_in_many_threads(void **state) {
  (void)state;
  for (int i = 0; i < 5; i++) {
    RUN_IN_NEW(NULL, "import _locale, sys, threading\n"
                     "sys.setswitchinterval(1e-6)\n"
                     "together = threading.Barrier(8)\n"
                     "def use(function, argument):\n"
                     "  together.wait()\n"
                     "  function(argument)\n"
                     "uses = [(_locale.textdomain, 'ours')] + [(_locale.gettext, 'text')] * 7\n"
                     "threads = [threading.Thread(target=use, args=both) for both in uses]\n"
                     "for thread in threads: thread.start()\n"
                     "for thread in threads: thread.join()\n"
                     "assert _locale.textdomain(None) == 'ours', _locale.textdomain(None)\n");
  }
}

/* A first call that fails leaves nothing half done, and a module that is imported again gets ours again. */
static void test_first_call_again(void **state) {
  (void)state;
  RUN_IN_NEW(NULL, "import builtins, importlib, posix, sys\n"
                   "def refusal(error, function, *arguments):\n"
                   "  try: function(*arguments)\n"
                   "  except error as e: return str(e)\n"
                   "  assert False\n"
                   "def broken(*arguments): raise ImportError('broken')\n"
                   "real, builtins.__import__ = builtins.__import__, broken\n"
                   "assert refusal(ImportError, posix.nice, 1) == 'broken'\n"
                   "builtins.__import__ = real\n"
                   "ours = refusal(PermissionError, posix.nice, 1)\n"
                   "assert \"the host's\" in ours, ours\n"
                   "del sys.modules['posix']\n"
                   "again = importlib.import_module('posix')\n"
                   "assert again.nice is not posix.nice\n"
                   "assert refusal(PermissionError, again.nice, 1) == ours\n");
}

/* An interpreter that ends may call one for the first time. */
static void test_first_call_at_the_end(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    RUN_IN_NEW(NULL, "import builtins, os\n"
                     "class Late:\n"
                     "  def __init__(self, function, *arguments): self.call = function, arguments\n"
                     "  def __del__(self):\n"
                     "    try: self.call[0](*self.call[1])\n"
                     "    except ImportError: pass\n"
                     "builtins.late = Late(os.kill, os.getpid(), 0), Late(os.putenv, 'A', 'b')\n");
  }
}

/* Each interpreter has its own, and they end with it. */
static void test_functions_of_several_interpreters(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    subpy_id id, other;
    CREATE(NULL, &id);
    CREATE(NULL, &other);
    RUN(id, "import os; os.putenv('SUBPY_AS_IN', 'one'); keep = os.putenv");
    DESTROY(id);
    RUN(other, "import os; os.putenv('SUBPY_AS_IN', 'two'); os.kill(os.getpid(), 0)");
    DESTROY(other);
  }
}

/* The built-in types have the names that they have in a plain Python. */
static void test_built_in_types(void **state) {
  (void)state;
  for (int shared = 0; shared < 2; shared++) {
    subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
    config.gil = shared ? SUBPY_GIL_SHARED : SUBPY_GIL_DEFAULT;
    subpy_id id;
    CREATE(&config, &id);
    RUN(id, "import types, weakref\n"
            "for t in type(None), type(NotImplemented), types.CodeType, type({}.keys()),\\\n"
            "         weakref.ProxyType, types.WrapperDescriptorType:\n"
            "  assert '__init__' not in vars(t), t\n"
            "for t in ValueError, LookupError, KeyboardInterrupt, UserWarning:\n"
            "  assert '__new__' in vars(t) and vars(t)['__new__'].__self__ is t, t\n"
            "  assert type(t.__new__(t, 'x')) is t and t('x').args == ('x',)\n");
    /* The __new__ of the first base is the one that is called. */
    RUN(id, "class Mixin(Exception):\n"
            "  def __new__(cls, *arguments): assert False\n"
            "class Both(ValueError, Mixin): pass\n"
            "assert Both('x').args == ('x',)\n");
    DESTROY(id);
  }
}

/* `breakpoint()` goes by the environment of the interpreter, and the debugger is in the caller's frame. */
static void use_breakpoint(void *unused) {
  (void)unused;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.isolated = 0;
  INITIALIZE(&config);
  RUN_IN_NEW(NULL,
             "import os, sys, types, warnings\n"
             "calls = []\n"
             "def trace(*arguments, **options):\n"
             "  calls.append((sys._getframe().f_back.f_code.co_name, arguments, options))\n"
             "  return 42\n"
             "sys.modules['ours'] = types.ModuleType('ours'); sys.modules['ours'].trace = trace\n"
             "os.environ['PYTHONBREAKPOINT'] = 'ours.trace'\n"
             "def caller(): return breakpoint(1, x=2)\n"
             "assert caller() == 42 and calls == [('caller', (1,), {'x': 2})], calls\n"
             "os.environ['PYTHONBREAKPOINT'] = '0'\n"
             "assert breakpoint() is None and len(calls) == 1\n"
             "os.environ['PYTHONBREAKPOINT'] = 'int'\n"
             "assert breakpoint('7') == 7\n"
             "for wrong in 'no.such', '.', 'ours.', 'ours.none', 'none':\n"
             "  os.environ['PYTHONBREAKPOINT'] = wrong\n"
             "  with warnings.catch_warnings(record=True) as caught:\n"
             "    warnings.simplefilter('always')\n"
             "    assert breakpoint() is None\n"
             "  assert [w.category for w in caught] == [RuntimeWarning], wrong\n"
             "  assert f'\"{wrong}\"' in str(caught[0].message), caught[0]\n"
             "del os.environ['PYTHONBREAKPOINT']\n"
             "import pdb\n"
             "pdb.set_trace = trace\n"
             "assert breakpoint() == 42 and sys.__breakpointhook__() == 42\n");
  FINALIZE();
}

static void test_breakpoint(void **state) {
  (void)state;
  IN_CHILD(use_breakpoint, NULL);
}

/* A debugger that skips the import system skips what subpy has put there. */
static void test_frames_of_imports(void **state) {
  (void)state;
  RUN_IN_NEW(NULL,
             "import importlib, sys\n"
             "names = set()\n"
             "def trace(frame, event, argument): names.add(frame.f_globals.get('__name__', ''))\n"
             "sys.settrace(trace)\n"
             "import colorsys\n"
             "sys.settrace(None)\n"
             "assert 'importlib._bootstrap_external' in names and '' not in names, names\n");
}

static void test_faulthandler_without_stderr(void **state) {
  (void)state;
  RUN_IN_NEW(NULL, "import faulthandler, sys\n"
                   "def refusal():\n"
                   "  try: faulthandler.dump_traceback()\n"
                   "  except RuntimeError as e: return str(e)\n"
                   "kept = sys.stderr\n"
                   "sys.stderr = None\n"
                   "assert refusal() == 'sys.stderr is None'\n"
                   "del sys.stderr\n"
                   "assert refusal() == 'unable to get sys.stderr'\n"
                   "sys.stderr = kept\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_functions_are_built_in),
      cmocka_unit_test(test_first_call_in_many_threads),
      cmocka_unit_test(test_first_call_again),
      cmocka_unit_test(test_first_call_at_the_end),
      cmocka_unit_test(test_functions_of_several_interpreters),
      cmocka_unit_test(test_built_in_types),
      cmocka_unit_test(test_frames_of_imports),
      cmocka_unit_test(test_faulthandler_without_stderr),
  };
  const struct CMUnitTest children[] = {
      cmocka_unit_test(test_breakpoint),
  };
  const int failed = RUN_TESTS(children);
  return failed + RUN_TESTS_INITIALIZED(tests);
}
