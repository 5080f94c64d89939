/*
 * A function of the host's is called on a stack of the library's, loses some memory there, and ends the process.
 * LeakSanitizer has to report what is lost, and nothing that only a stack points to: see tools/proof.sh.
 */
#include <subpy.h>

#include <cstdio>
#include <cstdlib>
#include <pthread.h>

namespace {

/* 10 blocks of 3,000 bytes. */
__attribute__((noinline)) void lose() {
  for (int i = 0; i < 10; i++) {
    char *volatile lost = static_cast<char *>(malloc(3000));
    lost[0] = 1;
    lost = nullptr;
  }
}

/* No word of a stack below points to what was lost. */
__attribute__((noinline)) void clear_stack() {
  volatile char all[8192];
  for (volatile char &each : all) {
    each = 0;
  }
}

void leave(void *, subpy_host_call *, const subpy_value *, size_t) {
  char *volatile kept = static_cast<char *>(malloc(1000));
  kept[0] = 1;
  lose();
  clear_stack();
  exit(0);
}

void *work(void *) {
  char *volatile kept = static_cast<char *>(malloc(2000));
  kept[0] = 1;
  subpy_id id;
  if (subpy_create(nullptr, &id, nullptr) == SUBPY_OK &&
      subpy_define_function(id, "host", "leave", leave, nullptr, nullptr, nullptr) == SUBPY_OK) {
    subpy_run_string(id, "import host; host.leave()", nullptr);
  }
  return kept;
}

} // namespace

int main() {
  if (subpy_initialize(nullptr, nullptr) != SUBPY_OK) {
    return 1;
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_t thread;
  if (pthread_create(&thread, &attributes, work, nullptr) != 0) {
    return 1;
  }
  pthread_join(thread, nullptr);
  fputs("the function was not called\n", stderr);
  return 1;
}
