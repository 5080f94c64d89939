/* Programs in files, imports, modules from memory, sys.argv, search paths, and stdin. */
#include "backends.h"
#include "files.h"

static subpy_id id;

static int make_the_folder(void **state) {
  make_temporary(folder);
  return initialize_defaults(state);
}

static int remove_the_folder(void **state) {
  remove_temporary(folder);
  return finalize_at_last(state);
}

static void write_file(const char *name, const char *code) {
  char path[PATH_ROOM];
  make_file(path, folder, name, code, strlen(code));
}

/* Names what is in the folder. */
static const char *in_folder(const char *name) {
  static char path[PATH_ROOM];
  join_path(path, folder, name);
  return path;
}

static void create(const subpy_interpreter_config *config) {
  CREATE(config, &id);
  const subpy_value value = subpy_str(folder);
  EXPECT(SUBPY_OK, subpy_set(id, "folder", &value, &error));
  RUN(id, "import sys");
}

#define RUN_FILE(options, path) EXPECT(SUBPY_OK, subpy_run_file_with(id, options, path, &error))

/* Files ------------------------------------------------------------------------------------------- */

static void test_as_python_does(void **state) {
  (void)state;
  write_file("program.py",
             "# -*- coding: latin-1 -*-\n"
             "import sys, helper\n"
             "text = '\xe4'\n"
             "what = (__name__, __file__, sys.argv, sys.path[0], helper.value, __package__,\n"
             "        __spec__, ascii(text))\n"
             "def f(): return 1 / 0\n");
  write_file("helper.py", "value = 3\n");
  create(NULL);
  RUN(id, "kept = 1; before = sys.path[:]");
  EXPECT(SUBPY_OK, subpy_run_file(id, in_folder("program.py"), &error));
  RUN(id, "file = folder + '/program.py'\n"
          "found = what[:2] + (what[2][0],) + what[3:]\n"
          "assert found == ('__main__', file, file, folder, 3, None, None, r\"'\\xe4'\"), what\n"
          "import inspect; assert inspect.getsource(f) == 'def f(): return 1 / 0\\n'\n"
          "assert kept == 1 and sys.path == [folder, *before]");
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "f()");
  char line[PATH_ROOM + 64];
  snprintf(line, sizeof line, "File \"%s\", line 6, in f\n    def f(): return 1 / 0",
           in_folder("program.py"));
  CHECK_CONTAINS(subpy_error_traceback(error), line);
  subpy_error_free(error);
  /* Another one is in its place. */
  RUN(id, "import os; os.mkdir(folder + '/other')");
  write_file("other/second.py", "import sys; second = sys.path[0]");
  EXPECT(SUBPY_OK, subpy_run_file(id, in_folder("other/second.py"), &error));
  RUN(id, "assert sys.path == [folder + '/other', *before] and second == sys.path[0]");
  DESTROY(id);
}

static void test_arguments(void **state) {
  (void)state;
  static const char *const of_interpreter[] = {"app", "--verbose"};
  static const char *const of_program[] = {"one", "zw\xc3\xb6lf", ""};
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_file_options options = SUBPY_FILE_OPTIONS_INIT;
  write_file("arguments.py", "import sys; given = sys.argv[1:]");
  config.argv = of_interpreter;
  config.argc = COUNT(of_interpreter);
  create(&config);
  RUN(id, "assert sys.argv == ['app', '--verbose'], sys.argv");
  RUN_FILE(NULL, in_folder("arguments.py"));
  RUN(id, "assert given == ['--verbose'] and sys.argv[0] == folder + '/arguments.py'");
  options.argv = of_program;
  options.argc = COUNT(of_program);
  RUN_FILE(&options, in_folder("arguments.py"));
  RUN(id, "assert given == ['one', 'zw\\xf6lf', ''], given");
  options.argc = 0;
  RUN_FILE(&options, in_folder("arguments.py"));
  RUN(id, "assert given == []");
  DESTROY(id);
}

static void test_relative_paths(void **state) {
  (void)state;
  char before[PATH_ROOM];
  CHECK(getcwd(before, sizeof before), "no folder");
  write_file("relative.py", "import sys; name, whole = sys.argv[0], __file__");
  create(NULL);
  CHECK_EQUAL(chdir(folder), 0);
  EXPECT(SUBPY_OK, subpy_run_file(id, "relative.py", &error));
  CHECK_EQUAL(chdir(before), 0);
  RUN(id, "assert name == 'relative.py' and whole == folder + '/relative.py'");
  DESTROY(id);
}

static void test_folders_zip_files_and_bytecode(void **state) {
  (void)state;
  create(NULL);
  RUN(id,
      "import os, zipfile, py_compile\n"
      "os.makedirs(folder + '/app')\n"
      "code = 'import part, sys; ran = part.name, __name__, __file__, sys.argv[0], sys.path[0]'\n"
      "with open(folder + '/app/__main__.py', 'w') as f: f.write(code)\n"
      "with open(folder + '/app/part.py', 'w') as f: f.write('name = \"folder\"')\n"
      "with zipfile.ZipFile(folder + '/app.zip', 'w') as z:\n"
      "    z.writestr('__main__.py', code); z.writestr('part.py', 'name = \"zip\"')\n"
      "with open(folder + '/source.py', 'w') as f: f.write('ran = __file__')\n"
      "py_compile.compile(folder + '/source.py', folder + '/compiled.pyc')");
  EXPECT(SUBPY_OK, subpy_run_file(id, in_folder("app"), &error));
  RUN(id, "app = folder + '/app'\n"
          "assert ran == ('folder', '__main__', app + '/__main__.py', app, app), ran\n"
          "del sys.modules['part']");
  EXPECT(SUBPY_OK, subpy_run_file(id, in_folder("app.zip"), &error));
  RUN(id, "app = folder + '/app.zip'\n"
          "assert ran == ('zip', '__main__', app + '/__main__.py', app, app), ran");
  EXPECT(SUBPY_OK, subpy_run_file(id, in_folder("compiled.pyc"), &error));
  RUN(id, "assert ran == folder + '/compiled.pyc'");
  DESTROY(id);
}

static void test_modules_as_programs(void **state) {
  (void)state;
  const char *paths[] = {folder};
  static const char *const arguments[] = {"x"};
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_file_options options = SUBPY_FILE_OPTIONS_INIT;
  config.search_paths = paths;
  config.search_paths_count = 1;
  options.is_module = 1;
  options.argv = arguments;
  options.argc = 1;
  create(&config);
  RUN(id, "import os; os.makedirs(folder + '/package/empty')\n"
          "code = 'from . import part; import sys; ran = __name__, __package__, __file__, "
          "sys.argv, part.n'\n"
          "files = {'__init__': '', '__main__': code, 'part': 'n = 5', 'single': code, "
          "'empty/__init__': ''}\n"
          "for name, code in files.items():\n"
          "    with open(f'{folder}/package/{name}.py', 'w') as f: f.write(code)");
  RUN_FILE(&options, "package");
  RUN(id, "file = folder + '/package/__main__.py'\n"
          "assert ran == ('__main__', 'package', file, [file, 'x'], 5), ran");
  RUN_FILE(&options, "package.single");
  RUN(id, "assert ran[2] == folder + '/package/single.py'");
  REFUSES(SUBPY_ERR_NOT_FOUND, "no_such", subpy_run_file_with(id, &options, "no_such", &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "empty", subpy_run_file_with(id, &options, "package.empty", &error));
  DESTROY(id);
}

static void test_in_a_namespace(void **state) {
  (void)state;
  subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
  subpy_file_options options = SUBPY_FILE_OPTIONS_INIT;
  write_file("plugin.py",
             "import sys\nclass Plugin: pass\nwhat = __name__, __file__, sys.argv, sys.path[0]");
  create(NULL);
  EXPECT(SUBPY_OK, subpy_add_namespace(id, "plugin", &error));
  run.in_namespace = "plugin";
  options.run = &run;
  RUN(id, "sys.argv = ['app']; before = sys.path[:]");
  RUN_FILE(&options, in_folder("plugin.py"));
  RUN(id,
      "import plugin, inspect, pickle\n"
      "assert plugin.what == ('plugin', folder + '/plugin.py', ['app'], before[0]), plugin.what\n"
      "assert inspect.getsource(plugin.Plugin) == 'class Plugin: pass\\n'\n"
      "assert type(pickle.loads(pickle.dumps(plugin.Plugin()))) is plugin.Plugin\n"
      "assert sys.path == before and 'Plugin' not in globals()");
  DESTROY(id);
}

static void test_wrong_files(void **state) {
  (void)state;
  create(NULL);
  RUN(id, "import os; os.mkdir(folder + '/nothing')");
  write_file("bytes.py", "x = '\xff'");
  write_file("syntax.py", "x = 1\nx = = 2\n");
  write_file("exit.py", "import sys; sys.exit(3)");
  write_file("endless.py", "while True: pass");
  REFUSES(SUBPY_ERR_NOT_FOUND, "no_such.py", subpy_run_file(id, in_folder("no_such.py"), &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "__main__.py", subpy_run_file(id, in_folder("nothing"), &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "path is NULL", subpy_run_file(id, NULL, &error));
  subpy_error *error = NULL;
  subpy_run_file(id, in_folder("bytes.py"), &error);
  CHECK_TEXT(subpy_error_type(error), "SyntaxError");
  CHECK_CONTAINS(subpy_error_message(error),
                 python_at_least(3, 14) ? "Non-UTF-8 code" : "codec can't decode");
  subpy_error_free(error);
  subpy_run_file(id, in_folder("syntax.py"), &error);
  CHECK_TEXT(subpy_error_type(error), "SyntaxError");
  CHECK_CONTAINS(subpy_error_traceback(error), "syntax.py\", line 2");
  CHECK(strstr(subpy_error_traceback(error), "subpy>") == NULL, "%s", subpy_error_traceback(error));
  subpy_error_free(error);
  REFUSES(SUBPY_ERR_EXIT, "3", subpy_run_file(id, in_folder("exit.py"), &error));
  subpy_run_options run = SUBPY_RUN_OPTIONS_INIT;
  subpy_file_options options = SUBPY_FILE_OPTIONS_INIT;
  options.run = &run;
  limit_to(&run, 50);
  REFUSES(SUBPY_ERR_TIMEOUT, "",
          subpy_run_file_with(id, &options, in_folder("endless.py"), &error));
  run.filename = "x.py";
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "filename",
          subpy_run_file_with(id, &options, in_folder("exit.py"), &error));
  options.run = NULL;
  options.argc = 1;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "argv is NULL",
          subpy_run_file_with(id, &options, in_folder("exit.py"), &error));
  DESTROY(id);
}

/* Bytecode is written where that can be, and nothing is said where it can't. */
static void test_bytecode_caches(void **state) {
  (void)state;
  const char *paths[] = {folder};
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.search_paths = paths;
  config.search_paths_count = 1;
  create(&config);
  RUN(id, "import os; os.mkdir(folder + '/can'); os.mkdir(folder + '/cannot')\n"
          "open(folder + '/can/cached.py', 'w').write('n = 1')\n"
          "open(folder + '/cannot/uncached.py', 'w').write('n = 2')\n"
          "open(folder + '/cannot/__pycache__', 'w').close()\n"
          "sys.path[:0] = [folder + '/can', folder + '/cannot']");
  EXPECT(SUBPY_OK, subpy_import(id, "cached", &error));
  EXPECT(SUBPY_OK, subpy_import(id, "uncached", &error));
  RUN(id, "cached = os.listdir(folder + '/can/__pycache__')\n"
          "assert len(cached) == 1 and cached[0].endswith('.pyc'), cached");
  DESTROY(id);
}

/* Search paths -------------------------------------------------------------------------------------- */

static void test_search_paths(void **state) {
  (void)state;
  write_file("colorsys.py", "where = 'first'");
  const char *paths[] = {folder};
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.search_paths = paths;
  config.search_paths_count = 1;
  create(&config);
  RUN(id, "import colorsys; assert colorsys.where == 'first' and sys.path[0] == folder");
  DESTROY(id);
  CREATE(NULL, &id);
  RUN(id, "import colorsys; assert not hasattr(colorsys, 'where')");
  DESTROY(id);
  paths[0] = "/no/such/folder";
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "search_paths[0] does not exist: /no/such/folder",
          create_under_test(&config, &id, &error));
  paths[0] = NULL;
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "search_paths[0] is NULL",
          create_under_test(&config, &id, &error));
}

/* Imports ------------------------------------------------------------------------------------------- */

static void test_import(void **state) {
  (void)state;
  create(NULL);
  EXPECT(SUBPY_OK, subpy_import(id, "email.message", &error));
  RUN(id, "assert 'email.message' in sys.modules and 'email' not in globals()");
  EXPECT(SUBPY_OK, subpy_import(id, "email.message", &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "no_such_module", subpy_import(id, "no_such_module", &error));
  REFUSES(SUBPY_ERR_NOT_FOUND, "email.no_such", subpy_import(id, "email.no_such", &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "\"a b\"", subpy_import(id, "a b", &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "NULL", subpy_import(id, NULL, &error));
  EXPECT(SUBPY_OK, subpy_add_module(id, "broken", "import no_such_module", 21, NULL, &error));
  REFUSES(SUBPY_ERR_EXCEPTION, "no_such_module", subpy_import(id, "broken", &error));
  DESTROY(id);
}

/* Modules from memory ------------------------------------------------------------------------------- */

#define ADD(name, source, filename)                                                                \
  EXPECT(SUBPY_OK, subpy_add_module(id, name, source, strlen(source), filename, &error))

static void test_modules_from_memory(void **state) {
  (void)state;
  create(NULL);
  ADD("settings", "import sys\nsys.imported = 1\nvalue = 1\ndef fail():\n    return 1 / 0\n", NULL);
  ADD("app.util", "def fail():\n    return undefined\n", "app/util.py");
  ADD("app.deep.er", "from ..util import fail\nname = __name__\n", NULL);
  RUN(id, "assert not hasattr(sys, 'imported')");
  RUN(id, "import settings, app.util, app.deep.er, inspect, importlib\n"
          "assert settings.value == 1 and not hasattr(settings, '__file__')\n"
          "assert app.util.__file__ == 'app/util.py' and app.util.__package__ == 'app'\n"
          "assert app.deep.er.fail is app.util.fail and app.deep.er.name == 'app.deep.er'\n"
          "assert inspect.getsource(app.util.fail) == 'def fail():\\n    return undefined\\n'\n"
          "assert inspect.getsource(settings.fail) == 'def fail():\\n    return 1 / 0\\n'\n"
          "assert settings.__spec__.loader.get_source('settings').startswith('import sys')");
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "settings.fail()");
  CHECK_CONTAINS(subpy_error_traceback(error),
                 "File \"<settings>\", line 5, in fail\n    return 1 / 0");
  subpy_error_free(error);
  error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "app.util.fail()");
  CHECK_CONTAINS(subpy_error_traceback(error),
                 "File \"app/util.py\", line 2, in fail\n    return undefined");
  subpy_error_free(error);
  /* What goes wrong while one is imported: nothing of the import itself is shown. */
  ADD("raises", "x = 1\n1 / 0\n", NULL);
  ADD("syntax", "x = = 1\n", "syntax.py");
  error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "import raises");
  CHECK_CONTAINS(subpy_error_traceback(error), "line 1, in <module>\n    import raises\n  File "
                                               "\"<raises>\", line 2, in <module>\n    1 / 0");
  subpy_error_free(error);
  error = RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "import syntax");
  CHECK_CONTAINS(subpy_error_traceback(error), "    import syntax\n  File \"syntax.py\", line 1\n");
  subpy_error_free(error);
  /* Another one in its place, from the next import or reload on. */
  ADD("settings", "value = 2", NULL);
  RUN(id, "import settings; assert settings.value == 1\n"
          "importlib.reload(settings); assert settings.value == 2");
  /* They come before what is in files, but a package in files is not hidden by what is in it. */
  ADD("colorsys", "mine = True", NULL);
  ADD("email.mine", "mine = True", NULL);
  RUN(id, "import colorsys, email.mine, email.message; assert colorsys.mine and email.mine.mine");
  /* A package with a source of its own. */
  ADD("own", "from .part import n", NULL);
  ADD("own.part", "n = 7", NULL);
  RUN(id, "import own; assert own.n == 7 and own.__path__ == []");
  DESTROY(id);
}

static void test_modules_that_are_none(void **state) {
  (void)state;
  create(NULL);
  static const char *const wrong[] = {"", "a b", "1a", ".a", "a..b"};
  for (size_t i = 0; i < COUNT(wrong); i++) {
    REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "module's name",
            subpy_add_module(id, wrong[i], "", 0, NULL, &error));
  }
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "NUL", subpy_add_module(id, "a", "\0", 1, NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "UTF-8", subpy_add_module(id, "a", "\xff", 1, NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "NULL", subpy_add_module(id, "a", NULL, 0, NULL, &error));
  REFUSES(SUBPY_ERR_INVALID_ARGUMENT, "NULL", subpy_add_module(id, NULL, "", 0, NULL, &error));
  DESTROY(id);
  REFUSES(SUBPY_ERR_NOT_FOUND, "", subpy_add_module(id, "a", "", 0, NULL, &error));
}

static void test_modules_everywhere(void **state) {
  (void)state;
  const char code[] = "n = 5";
  EXPECT(SUBPY_OK, subpy_add_module(SUBPY_EVERYWHERE, "everywhere", code, strlen(code),
                                    "everywhere.py", &error));
  for (int i = 0; i < 2; i++) {
    create(NULL);
    RUN(id,
        "import everywhere; assert everywhere.n == 5 and everywhere.__file__ == 'everywhere.py'");
    DESTROY(id);
  }
}

/* stdin --------------------------------------------------------------------------------------------- */

struct to_read {
  const char *text;
  size_t most;
};

static size_t give(void *user, char *buffer, size_t length) {
  struct to_read *rest = user;
  size_t n = strlen(rest->text);
  n = n < length ? n : length;
  n = n < rest->most ? n : rest->most;
  memcpy(buffer, rest->text, n);
  rest->text += n;
  return n;
}

static void test_stdin(void **state) {
  (void)state;
  struct to_read rest = {"one\nzw\xc3\xb6lf\r\nlast", 5};
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdin_fn = give;
  config.stdin_user = &rest;
  create(&config);
  RUN(id, "assert input() == 'one'\n"
          "assert sys.stdin.readline() == 'zw\\xf6lf\\n'\n"
          "assert list(sys.stdin) == ['last'] and sys.stdin.read() == ''\n"
          "try: input()\n"
          "except EOFError: pass\n"
          "else: assert False\n"
          "assert sys.stdin is sys.__stdin__ and sys.stdin.name == '<stdin>' and not "
          "sys.stdin.isatty()\n"
          "import io\n"
          "try: sys.stdin.fileno()\n"
          "except io.UnsupportedOperation: pass\n"
          "else: assert False");
  rest.text = "bytes\xff";
  RUN(id, "assert sys.stdin.buffer.read() == b'bytes\\xff'");
  DESTROY(id);
}

static size_t run_meanwhile(void *user, char *buffer, size_t length) {
  (void)user, (void)length;
  RUN(id, "inside = 1");
  *buffer = '\n';
  return 1;
}

static void test_stdin_that_uses_its_interpreter(void **state) {
  (void)state;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdin_fn = run_meanwhile;
  create(&config);
  RUN(id, "assert input() == '' and inside == 1");
  DESTROY(id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_as_python_does),
      cmocka_unit_test(test_arguments),
      cmocka_unit_test(test_relative_paths),
      cmocka_unit_test(test_folders_zip_files_and_bytecode),
      cmocka_unit_test(test_modules_as_programs),
      cmocka_unit_test(test_in_a_namespace),
      cmocka_unit_test(test_wrong_files),
      cmocka_unit_test(test_bytecode_caches),
      cmocka_unit_test(test_search_paths),
      cmocka_unit_test(test_import),
      cmocka_unit_test(test_modules_from_memory),
      cmocka_unit_test(test_modules_that_are_none),
      cmocka_unit_test(test_modules_everywhere),
      cmocka_unit_test(test_stdin),
      cmocka_unit_test(test_stdin_that_uses_its_interpreter),
  };
  return RUN_TESTS_BETWEEN(tests, make_the_folder, remove_the_folder);
}
