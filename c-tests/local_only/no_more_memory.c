/* The system has no more memory for the process (RLIMIT_AS), but for a few pages: each call returns. */
#include "child.h"

#include <sys/resource.h>

/* From now on the process gets so much more memory, and no more. */
static void leave(rlim_t bytes) {
  FILE *file = fopen("/proc/self/statm", "r");
  long pages = 0;
  CHECK(file != NULL && fscanf(file, "%ld", &pages) == 1, "no /proc/self/statm");
  fclose(file);
  const struct rlimit limit = {(rlim_t)(pages * sysconf(_SC_PAGESIZE)) + bytes, RLIM_INFINITY};
  CHECK_EQUAL(setrlimit(RLIMIT_AS, &limit), 0);
}

/* OK, or this status. */
static bool is_ok_or(subpy_status status, subpy_status other) {
  return status == SUBPY_OK || status == other;
}

/* What takes all of the memory that is left, in small pieces, too. Not by append(): see docs/testing.md, "Debug
 * builds". */
static const char takes_all[] = "taken, size = [], 1 << 24\n"
                                "while size > 512:\n"
                                "    try:\n"
                                "        taken += [bytearray(size)]\n"
                                "    except MemoryError:\n"
                                "        size //= 2\n";

static void end_with(void *headroom) {
  subpy_id id;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, "import json");
  leave(*(rlim_t *)headroom);
  subpy_status status = subpy_run_string(id, takes_all, NULL);
  CHECK(is_ok_or(status, SUBPY_ERR_EXCEPTION), "%s", subpy_status_name(status));
  status = subpy_run_string(id, "taken[0] = str(taken[0])", NULL);
  CHECK(is_ok_or(status, SUBPY_ERR_EXCEPTION), "%s", subpy_status_name(status));
  CHECK_EQUAL(subpy_destroy(id, NULL), SUBPY_OK);
  CHECK_EQUAL(subpy_finalize(NULL), SUBPY_OK);
}

static void test_the_end(void **state) {
  (void)state;
  for (rlim_t kib = 0; kib <= 4096; kib = kib < 64 ? kib + 16 : kib * 2) {
    rlim_t headroom = kib << 10;
    IN_CHILD(end_with, &headroom);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_end),
  };
  return RUN_TESTS(tests);
}
