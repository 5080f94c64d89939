/*
 * The memory that an interpreter leaves behind: creates, runs and destroys one after the other, and
 * prints the resident memory every hundred cycles; first of all, what starting Python has taken.
 *
 *     cycles CYCLES CODE
 */
#define SUPPORT_PLAIN
#include "check.h"

#include <time.h>

static long resident(void) {
  long total, pages;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%ld %ld", &total, &pages) == 2, "it can't be read");
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The least of two; an allocator's ups and downs say nothing. */
static void lower(long *least, long now) {
  if (*least == 0 || now < *least) {
    *least = now;
  }
}

int main(int count, char **arguments) {
  CHECK(count == 3, "usage: %s CYCLES CODE", arguments[0]);
  /* The first cycles fill caches that stay. Then the first third is compared to the last. */
  enum { FIRST = 200 };
  long cycles = atol(arguments[1]), third = cycles / 3, before = 0, after = 0;
  const double start = now_ms();
  INITIALIZE(NULL);
  printf("start-up: %.1f ms\n", now_ms() - start);
  for (long i = 1; i <= FIRST + cycles; i++) {
    RUN_IN_NEW(NULL, arguments[2]);
    if (i > FIRST + cycles - third) {
      lower(&after, resident());
    } else if (i > FIRST && i <= FIRST + third) {
      lower(&before, resident());
    }
    if (i % 100 == 0) {
      printf("%5ld cycles: %7ld KiB\n", i, resident() / 1024);
      fflush(stdout);
    }
  }
  printf("Python %.7s: lost per cycle: %ld bytes\n", subpy_python_version(),
         (after - before) / (cycles - third));
  return EXIT_SUCCESS;
}
