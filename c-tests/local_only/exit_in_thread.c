/* A process whose main thread is gone, and that exits from another one. */
#define SUPPORT_PLAIN
#include "support.h"

static pthread_t first;

static void *finalize_and_exit(void *unused) {
  subpy_id id;
  (void)unused;
  thread_join(first); /* the thread that initialized */
  CREATE(NULL, &id);
  RUN(id, "import json, threading");
  FINALIZE();
  EXPECT(SUBPY_ERR_NOT_INITIALIZED, subpy_run_string(id, "x = 1", &error));
  exit(0);
}

int main(void) {
  subpy_id id;
  first = pthread_self();
  INITIALIZE(NULL);
  CREATE(NULL, &id);
  RUN(id, "import threading");
  thread_start(finalize_and_exit, NULL);
  pthread_exit(NULL);
}
