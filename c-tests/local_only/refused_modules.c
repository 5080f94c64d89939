/* What CPython refuses to an interpreter with a GIL of its own: the message names the way out, or it is there. */
#include "support.h"

/* `refused(name)` imports it: what is refused says what takes it. */
static const char *const REFUSED =
    "import importlib, sys\n"
    "def refused(name):\n"
    "  try: importlib.import_module(name)\n"
    "  except ModuleNotFoundError: return False\n"
    "  except ImportError as e:\n"
    "    assert 'SUBPY_GIL_SHARED' in str(e) and str(e) == e.msg == e.args[0], e\n"
    "    return True\n"
    "  return False\n";

static void test_each_message_names_the_way_out(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, REFUSED);
  RUN(id, "names = 'curses readline tkinter _curses _curses_panel _tkinter'.split()\n"
          "if (3, 13) <= sys.version_info: names.append('_suggestions')\n"
          "if (3, 12) == sys.version_info[:2]:\n"
          "  names += 'cProfile ctypes plistlib _decimal _elementtree pyexpat nis'.split()\n"
          "for _ in range(2):\n"
          "  for name in names: refused(name)\n");
  if (python_at_least(3, 12) && !python_at_least(3, 13)) {
    RUN(id, "assert refused('_ctypes') and refused('pyexpat') and refused('xmlrpc.client')\n"
            "import xml.etree.ElementTree, xml.sax\n"
            "for parse in (lambda: xml.etree.ElementTree.fromstring('<a/>'),\n"
            "              lambda: xml.sax.parseString(b'<a/>', xml.sax.ContentHandler())):\n"
            "  try: parse()\n"
            "  except Exception as e: assert 'SUBPY_GIL_SHARED' in str(e), repr(e)\n"
            "  else: assert False\n");
  }
  DESTROY(id);
}

/* A package from outside of the standard library. */
static void test_a_package_that_is_refused(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip();
  }
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, REFUSED);
  RUN(id, "import importlib.util, os, shutil, tempfile\n"
          "spec = importlib.util.find_spec('readline')\n"
          "if spec is not None and spec.has_location:\n"
          "  with tempfile.TemporaryDirectory() as place:\n"
          "    os.mkdir(f'{place}/package')\n"
          "    shutil.copy(spec.origin, f'{place}/package')\n"
          "    sys.path.insert(0, place)\n"
          "    assert refused('package.readline')\n");
  DESTROY(id);
}

/* A refusal is not the one use that the module accepts. */
static void test_a_refused_package_can_be_used_elsewhere(void **state) {
  (void)state;
  if (!python_at_least(3, 12)) {
    skip();
  }
  const char *const search = "import sys; sys.path.insert(0, '" SUBPY_MODULES "')";
  for (int i = 0; i < 2; i++) {
    subpy_id id;
    CREATE(NULL, &id);
    RUN(id, REFUSED);
    RUN(id, search);
    RUN(id, "assert refused('of_one_interpreter')");
    DESTROY(id);
  }
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.gil = SUBPY_GIL_SHARED;
  subpy_id id;
  CREATE(&config, &id);
  RUN(id, search);
  RUN(id, "import of_one_interpreter");
  DESTROY(id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_message_names_the_way_out),
      cmocka_unit_test(test_a_package_that_is_refused),
      cmocka_unit_test(test_a_refused_package_can_be_used_elsewhere),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
