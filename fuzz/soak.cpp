/*
 * A host under load, for as long as it is told: eight threads create, run, interrupt and destroy
 * interpreters whose scripts import, print, raise, start threads and take time.
 *
 *   soak [SECONDS]
 *
 * It fails on a crash, a call that does not return, a status that should not be, and memory that
 * grows after the first minute.
 */
#include "destroy_within.h"
#include "random.h"

#include <subpy.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

enum { THREADS = 8, WARM_UP_S = 60, REPORT_S = 10, HANG_S = 120 };

/* What may come and go: eight interpreters more or less, and fragments. */
constexpr double slack_mib = 64;

/* What an interpreter with the shared GIL may leave behind on 3.12 and 3.13: the names of what it has
 * imported. */
constexpr double left_mib = 1;

const struct Script {
  const char *code;
  subpy_status status;
} scripts[] = {
    {"x = sum(range(10000))", SUBPY_OK},
    {"import json\nassert json.loads(json.dumps({'a': [1, 2.5, None]})) == {'a': [1, 2.5, None]}",
     SUBPY_OK},
    {"import re, datetime\nassert re.sub('[aeiou]', '', str(datetime.date(2024, 2, 29)))",
     SUBPY_OK},
    {"import collections, functools, itertools\nlist(itertools.permutations(range(6)))", SUBPY_OK},
    {"import decimal, fractions\ndecimal.Decimal(1) / 7; fractions.Fraction(3, 6)", SUBPY_OK},
    {"import hashlib, base64\nbase64.b64encode(hashlib.sha256(b'x' * 10000).digest())", SUBPY_OK},
    {"import logging\nlogging.getLogger('soak').warning('a warning')", SUBPY_OK},
    {"import asyncio\nasyncio.new_event_loop().close()", SUBPY_OK},
    {"for n in range(100): print('line', n)", SUBPY_OK},
    {"import threading\nt = threading.Thread(target=sum, "
     "args=(range(10000),))\nt.start()\nt.join()",
     SUBPY_OK},
    {"import threading\nthreading.Thread(target=sum, args=(range(100000),)).start()", SUBPY_OK},
    {"class Node: pass\nfor _ in range(1000):\n  n = Node(); n.self = n", SUBPY_OK},
    {"x = [str(n) for n in range(20000)]; del x", SUBPY_OK},
    {"def f(n): return f(n + 1)\nf(0)", SUBPY_ERR_EXCEPTION},
    {"1 / 0", SUBPY_ERR_EXCEPTION},
    {"import no_such_module", SUBPY_ERR_EXCEPTION},
    {"def broken(:", SUBPY_ERR_EXCEPTION},
    {"try:\n  1 / 0\nexcept ZeroDivisionError as e: raise ValueError from e", SUBPY_ERR_EXCEPTION},
    {"import sys; sys.exit(3)", SUBPY_ERR_EXIT},
};

std::atomic<uint64_t> cycles{0}, runs{0}, stopped{0}, timeouts{0};
std::atomic<bool> over{false};
/* What each thread's interpreter is, for the others to interrupt; -1: none. */
std::atomic<subpy_id> current[THREADS];
/*
 * Which of them was interrupted last. An import that was interrupted may leave a package half
 * imported, as Ctrl+C does in any Python, so a later run in that interpreter may raise.
 */
std::atomic<subpy_id> asked[THREADS];
/* When each thread came back from a call last. */
std::atomic<int64_t> returned[THREADS];

int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

[[noreturn]] void fail(const char *what, subpy_status status, const subpy_error *error) {
  fprintf(stderr, "soak: %s: %s: %s\n%s\n", what, subpy_status_name(status),
          subpy_error_message(error), subpy_error_traceback(error));
  abort();
}

void expect(const char *what, uint32_t expected, subpy_status status, subpy_error *&error) {
  if ((expected & 1u << status) == 0 || subpy_error_status(error) != status) {
    fail(what, status, error);
  }
  subpy_error_free(error);
}

void count_output(void *user, const char *, size_t length) {
  *static_cast<std::atomic<size_t> *>(user) += length;
}

std::atomic<uint64_t> shared_cycles{0};

bool leaves_names() {
  const std::string_view version = subpy_python_version();
  return version.substr(0, 5) == "3.12." || version.substr(0, 5) == "3.13.";
}

/* One interpreter's life. */
void cycle(size_t self, Random &random) {
  std::atomic<size_t> output{0};
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  config.stdout_fn = config.stderr_fn = count_output;
  config.output_user = &output;
  if (random.one_in(4)) {
    config.gil = SUBPY_GIL_SHARED;
    shared_cycles++;
  }
  subpy_error *error = nullptr;
  subpy_id id = -1;
  expect("create", 1u << SUBPY_OK, subpy_create(&config, &id, &error), error);
  current[self] = id;
  for (size_t n = 1 + random.below(12); n > 0; n--) {
    const bool limited = random.one_in(10);
    const Script &script = random.of(scripts);
    const Script &run = limited ? Script{"while True: pass", SUBPY_ERR_TIMEOUT} : script;
    subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
    options.timeout_ms = limited ? 5 : 0;
    const subpy_status status =
        subpy_run_string_with(id, &options, run.code, strlen(run.code), &error);
    uint32_t expected = 1u << run.status;
    if (asked[self] == id) {
      expected |= 1u << SUBPY_ERR_INTERRUPTED | 1u << SUBPY_ERR_EXCEPTION;
    }
    expect(run.code, expected, status, error);
    runs++;
    stopped += status == SUBPY_ERR_INTERRUPTED;
    timeouts += status == SUBPY_ERR_TIMEOUT;
    returned[self] = now_ms();
    if (random.one_in(8)) {
      const size_t n = random.below(THREADS);
      const subpy_id other = current[n];
      for (subpy_id before = asked[n];
           before < other && !asked[n].compare_exchange_weak(before, other);) {
      }
      expect("interrupt", 1u << SUBPY_OK | 1u << SUBPY_ERR_NOT_FOUND,
             subpy_interrupt(other, &error), error);
    }
  }
  current[self] = -1;
  expect("destroy", 1u << SUBPY_OK, destroy_within(id, HANG_S * 1000, &error), error);
  expect("destroy again", 1u << SUBPY_ERR_NOT_FOUND, subpy_destroy(id, &error), error);
  cycles++;
  returned[self] = now_ms();
}

double resident_mib() {
  long pages = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (f == nullptr || fscanf(f, "%*d %ld", &pages) != 1) {
    abort();
  }
  fclose(f);
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

void watch_for_hangs() {
  const int64_t now = now_ms();
  for (size_t i = 0; i < THREADS; i++) {
    if (now - returned[i] > HANG_S * 1000) {
      fprintf(stderr, "soak: thread %zu hangs in interpreter %lld\n", i, (long long)current[i]);
      abort();
    }
  }
}

} // namespace

int main(int argc, char **argv) {
  const int64_t seconds = argc > 1 ? atoll(argv[1]) : 60;
  subpy_error *error = nullptr;
  expect("initialize", 1u << SUBPY_OK, subpy_initialize(nullptr, &error), error);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < THREADS; i++) {
    current[i] = asked[i] = -1;
    returned[i] = now_ms();
    threads.emplace_back([i] {
      for (Random random(static_cast<uint64_t>(now_ms()) * THREADS + i); !over;) {
        cycle(i, random);
      }
    });
  }

  const int64_t start = now_ms();
  double warm_mib = 0;
  uint64_t warm_cycles = 0, warm_shared = 0;
  int64_t said = 0;
  for (int64_t elapsed = 0; elapsed < seconds; elapsed = (now_ms() - start) / 1000) {
    usleep(200000);
    watch_for_hangs();
    if (elapsed >= said + REPORT_S || said == 0) {
      said = elapsed / REPORT_S * REPORT_S + (elapsed == 0);
      printf("%5lld s: %7.1f MiB, %llu interpreters, %llu runs: %llu interrupted, %llu timed out\n",
             (long long)elapsed, resident_mib(), (unsigned long long)cycles,
             (unsigned long long)runs, (unsigned long long)stopped, (unsigned long long)timeouts);
      fflush(stdout);
    }
    if (warm_mib == 0 && elapsed >= WARM_UP_S) {
      warm_mib = resident_mib();
      warm_cycles = cycles;
      warm_shared = shared_cycles;
    }
  }
  over = true;
  for (std::thread &thread : threads) {
    thread.join();
  }
  const double mib = resident_mib();
  const uint64_t all_cycles = cycles;
  expect("finalize", 1u << SUBPY_OK, subpy_finalize(&error), error);
  printf("done: %llu interpreters, %llu runs, %llu interrupted, %llu timed out\n",
         (unsigned long long)all_cycles, (unsigned long long)runs, (unsigned long long)stopped,
         (unsigned long long)timeouts);
  if (warm_mib > 0 && all_cycles > warm_cycles) {
    const double grown = mib - warm_mib;
    const double later = static_cast<double>(all_cycles - warm_cycles);
    printf("memory after the first minute: %+.1f MiB in %.0f interpreters, %.3f MiB each\n", grown,
           later, grown / later);
    const double shared = leaves_names() ? static_cast<double>(shared_cycles - warm_shared) : 0;
    if (grown > slack_mib + shared * left_mib) {
      fprintf(stderr, "soak: memory grows\n");
      return 1;
    }
  }
  return 0;
}
