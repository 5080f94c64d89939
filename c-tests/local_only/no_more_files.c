/* The process may open no more files (RLIMIT_NOFILE). */
#include "child.h"

#include <fcntl.h>
#include <sys/resource.h>

enum { ROOM = 64 };

static void create_with(void *argument) {
  const int left = *(int *)argument;
  subpy_id id;
  INITIALIZE(NULL);
  const struct rlimit limit = {ROOM, ROOM};
  CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
  int files[ROOM], count = 0;
  while ((files[count] = open("/dev/null", O_RDONLY)) >= 0) {
    count++;
  }
  for (int i = 0; i < left; i++) {
    close(files[--count]);
  }
  if (left == 0) {
    REFUSES(SUBPY_ERR_NO_MEMORY, "descriptors", subpy_create(NULL, &id, &error));
  } else {
    subpy_status status = subpy_create(NULL, &id, NULL);
    CHECK(status == SUBPY_OK || status == SUBPY_ERR_NO_MEMORY, "%s", subpy_status_name(status));
    if (status == SUBPY_OK) {
      DESTROY(id);
    }
  }
  while (count > 0) {
    close(files[--count]);
  }
  RUN_IN_NEW(NULL, "import json");
  FINALIZE();
}

static void test_create(void **state) {
  (void)state;
  for (int left = 0; left < 16; left++) {
    IN_CHILD(create_with, &left);
  }
}

/* A run that needs files gets Python's exception; the end needs none. */
static void run_without(void *unused) {
  (void)unused;
  subpy_id id;
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, "import os, resource\n"
          "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
          "files = []\n"
          "try:\n"
          "    while True: files.append(os.dup(0))\n"
          "except OSError: pass\n");
  subpy_error_free(RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "open('/dev/null')"));
  subpy_error_free(RUN_FAILS(SUBPY_ERR_EXCEPTION, id, "import wave"));
  RUN(id, "x = 1");
  DESTROY(id);
  FINALIZE();
}

static void test_run(void **state) {
  (void)state;
  IN_CHILD(run_without, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_create),
      cmocka_unit_test(test_run),
  };
  return RUN_TESTS(tests);
}
