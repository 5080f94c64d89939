/*
 * Running, creating and destroying from a thousand threads at once, on whatever ids there are: each
 * call is OK, NOT_FOUND or BUSY (CPython issue 127041: the C API has nothing that keeps an
 * interpreter from being destroyed while a thread enters it).
 *
 *     race [THREADS [CALLS]]
 */
#define SUPPORT_PLAIN
#include "check.h"

enum { PLACES = 8 };

static subpy_id places[PLACES]; /* read and written by the compiler's atomic operations */
static long counts[3][SUBPY_ERR_INTERNAL + 1];
static long calls = 20;
static pthread_barrier_t start;

static void count(int call, subpy_status status) {
  __atomic_fetch_add(&counts[call][status], 1, __ATOMIC_RELAXED);
}

static subpy_status renew(unsigned place) {
  subpy_id id = __atomic_load_n(&places[place], __ATOMIC_RELAXED), made;
  subpy_status status = subpy_destroy(id, NULL);
  count(0, status);
  if (status != SUBPY_OK) {
    return status;
  }
  status = subpy_create(NULL, &made, NULL);
  count(1, status);
  if (status == SUBPY_OK) {
    __atomic_store_n(&places[place], made, __ATOMIC_RELAXED);
  }
  return status;
}

static subpy_status run(unsigned place) {
  subpy_status status =
      subpy_run_string(__atomic_load_n(&places[place], __ATOMIC_RELAXED), "x = [1]; del x", NULL);
  count(2, status);
  return status;
}

static void *work(void *seed) {
  unsigned random = (unsigned)(size_t)seed;
  pthread_barrier_wait(&start);
  for (long i = 0; i < calls; i++) {
    random = random * 1103515245 + 12345;
    unsigned place = random >> 16 & (PLACES - 1);
    subpy_status status = random >> 20 & 15 ? run(place) : renew(place);
    CHECK(status == SUBPY_OK || status == SUBPY_ERR_NOT_FOUND || status == SUBPY_ERR_BUSY, "%s",
          subpy_status_name(status));
  }
  return NULL;
}

int main(int argument_count, char **arguments) {
  long threads = argument_count > 1 ? atol(arguments[1]) : 1000;
  calls = argument_count > 2 ? atol(arguments[2]) : calls;
  INITIALIZE(NULL);
  for (unsigned place = 0; place < PLACES; place++) {
    subpy_id id;
    CREATE(NULL, &id);
    __atomic_store_n(&places[place], id, __ATOMIC_RELAXED);
  }
  pthread_t *all = calloc((size_t)threads, sizeof *all);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 512 << 10);
  pthread_barrier_init(&start, NULL, (unsigned)threads);
  for (long i = 0; i < threads; i++) {
    CHECK(pthread_create(&all[i], &small, work, (void *)(size_t)(i * 7919)) == 0,
          "only %ld threads can be had", i);
  }
  for (long i = 0; i < threads; i++) {
    pthread_join(all[i], NULL);
  }
  static const char *const NAMES[] = {"destroy", "create", "run"};
  for (int call = 0; call < 3; call++) {
    printf("%-8s", NAMES[call]);
    for (int status = 0; status <= SUBPY_ERR_INTERNAL; status++) {
      if (counts[call][status] > 0) {
        printf(" %ld %s", counts[call][status], subpy_status_name((subpy_status)status));
      }
    }
    putchar('\n');
  }
  FINALIZE();
  return EXIT_SUCCESS;
}
