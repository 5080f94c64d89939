/* With install_signal_handlers, SIGINT is Python's: KeyboardInterrupt in the main interpreter. */
#include "support.h"

#include <signal.h>

static void test_sigint_is_pythons(void **state) {
  (void)state;
  struct sigaction before, during, after;
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.install_signal_handlers = 1;
  config.allow_main = 1;
  CHECK_EQUAL(sigaction(SIGINT, NULL, &before), 0);
  INITIALIZE(&config);
  CHECK_EQUAL(sigaction(SIGINT, NULL, &during), 0);
  CHECK(during.sa_handler != before.sa_handler, "SIGINT is as before");

  CHECK_EQUAL(raise(SIGINT), 0);
  subpy_error *error = RUN_FAILS(SUBPY_ERR_EXCEPTION, 0, "while True: pass");
  CHECK_TEXT(subpy_error_type(error), "KeyboardInterrupt");
  subpy_error_free(error);
  RUN(0, "x = 1");

  FINALIZE();
  CHECK_EQUAL(sigaction(SIGINT, NULL, &after), 0);
  CHECK(after.sa_handler == before.sa_handler, "SIGINT is not as before");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sigint_is_pythons),
  };
  return RUN_TESTS(tests);
}
