/* sys._current_frames() and sys._current_exceptions(): those of the interpreter's own threads, and of no other. */
#include "busy.h"

static void test_its_own_thread(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "import sys, threading\n"
          "frames = sys._current_frames()\n"
          "assert list(frames) == [threading.get_ident()], frames\n"
          "assert frames[threading.get_ident()].f_globals is globals()\n"
          "del frames\n"
          "nothing = None if sys.version_info >= (3, 12) else (None, None, None)\n"
          "assert sys._current_exceptions() == {threading.get_ident(): nothing}\n");
  RUN(id, "import sys, threading\n"
          "try: 1 / 0\n"
          "except ZeroDivisionError as e:\n"
          "  found = sys._current_exceptions()[threading.get_ident()]\n"
          "  assert found is e or found == sys.exc_info(), found\n"
          "  def inner(): yield sys._current_exceptions()[threading.get_ident()]\n"
          "  assert next(inner()) == found\n");
  DESTROY(id);
}

static void test_its_python_threads(void **state) {
  (void)state;
  subpy_id id;
  CREATE(NULL, &id);
  RUN(id, "import sys, threading\n"
          "ready, end = threading.Event(), threading.Event()\n"
          "def work():\n"
          "  try: [][1]\n"
          "  except IndexError:\n"
          "    ready.set(); end.wait()\n"
          "t = threading.Thread(target=work); t.start(); ready.wait()\n"
          "frame = sys._current_frames()[t.ident]\n"
          "names = []\n"
          "while frame: names.append(frame.f_code.co_name); frame = frame.f_back\n"
          "found = sys._current_exceptions()[t.ident]\n"
          "end.set(); t.join()\n"
          "assert 'work' in names, names\n"
          "assert 'IndexError' in repr(found), found\n"
          "del found, frame\n");
  EXPECT(SUBPY_OK, destroy_within(id, SUBPY_FOREVER, &error));
}

/* Another interpreter works meanwhile: its frames are not seen, and the process lives. */
static void test_not_those_of_others(void **state) {
  (void)state;
  struct busy busy;
  busy_start(&busy);
  RUN_IN_NEW(NULL, "import sys, threading\n"
                   "for _ in range(100):\n"
                   "  assert list(sys._current_frames()) == [threading.get_ident()]\n"
                   "  assert list(sys._current_exceptions()) == [threading.get_ident()]\n");
  busy_end(&busy);
  DESTROY(busy.id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_its_own_thread),
      cmocka_unit_test(test_its_python_threads),
      cmocka_unit_test(test_not_those_of_others),
  };
  return RUN_TESTS_INITIALIZED(tests);
}
