/*
 * The numbers by which CPython knows immutable types, in several interpreters at once and when all
 * are used up: each type has to have its own methods.
 *
 *     type_versions at_once|used_up MODULES    MODULES is the folder that has `extension`
 */
#define SUPPORT_PLAIN
#include "support.h"

enum { THREADS = 2 };

static char program[2048];

static void *live(void *unused) {
  RUN_IN_NEW(NULL, program);
  return unused;
}

int main(int count, char **arguments) {
  CHECK(count == 3, "usage: %s at_once|used_up MODULES", arguments[0]);
  /* The first takes less than the 131,072 numbers that there are, and the second more. */
  const bool at_once = strcmp(arguments[1], "at_once") == 0;
  const char *code = at_once ? "wrong = extension.use(60000, 2)\n"
                               "assert wrong == 0, f'{wrong} types answer for others'\n"
                             : "for _ in range(14): assert extension.use(10000, 1) == 0\n"
                               "import collections, re\n"
                               "def kind(o):\n"
                               "    try: return o.match('a').group()\n"
                               "    except AttributeError: return type(o).__name__\n"
                               "for _ in range(100): assert kind(re.compile('a')) == 'a'\n"
                               "assert kind(collections.deque()) == 'deque'\n";
  snprintf(program, sizeof program, "import sys\nsys.path.append('%s')\nimport extension\n%s",
           arguments[2], code);
  INITIALIZE(NULL);
  pthread_t threads[THREADS];
  const int lives = at_once ? THREADS : 1;
  for (int i = 0; i < lives; i++) {
    threads[i] = thread_start(live, NULL);
  }
  for (int i = 0; i < lives; i++) {
    thread_join(threads[i]);
  }
  FINALIZE();
  return EXIT_SUCCESS;
}
