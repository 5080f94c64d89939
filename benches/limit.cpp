// A run in a thread with a small stack, which goes by one of the library's. And one with a time limit: what the limit costs where it is not reached, and how long it is from its end to the return of the
// call, where the script waits in C, computes there, or is in Python code.
#include "sources.hpp"
#include "ways.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <cstring>

#include <pthread.h>

static subpy_status run_limited(subpy_id id, const char *code, std::uint64_t timeout_ms) {
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.timeout_ms = timeout_ms;
  return subpy_run_string_with(id, &options, code, std::strlen(code), nullptr);
}

static void limited(benchmark::State &state) {
  const subpy_id interpreter = c_interpreter();
  for (auto _ : state) {
    check(run_limited(interpreter, sources::SHORT, 3600000));
  }
}
BENCHMARK(limited)->Name("limit_not_reached/subpy");

static void *run_again(void *argument) {
  benchmark::State &state = *static_cast<benchmark::State *>(argument);
  const subpy_id interpreter = c_interpreter();
  run(interpreter, sources::SHORT);
  for (auto _ : state) {
    run(interpreter, sources::SHORT);
  }
  return nullptr;
}

static void small_stack(benchmark::State &state) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 << 10);
  pthread_t thread;
  if (pthread_create(&thread, &attributes, run_again, &state) != 0) {
    std::exit(1);
  }
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}
BENCHMARK(small_stack)->Name("limit_small_stack/subpy");

// From the end of a limit to the return of the call.
static void lateness(benchmark::State &state, const char *code) {
  constexpr std::chrono::milliseconds LIMIT(5);
  const subpy_id interpreter = c_interpreter();
  run(interpreter, "import re, threading, time");
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    if (run_limited(interpreter, code, LIMIT.count()) != SUBPY_ERR_TIMEOUT) {
      state.SkipWithError("it did not reach its limit");
      return;
    }
    const std::chrono::duration<double> late = std::chrono::steady_clock::now() - start - LIMIT;
    state.SetIterationTime(late.count());
  }
}
BENCHMARK_CAPTURE(lateness, sleep, "time.sleep(60)")->Name("limit_sleep/subpy")->UseManualTime();
BENCHMARK_CAPTURE(lateness, event, "threading.Event().wait()")
    ->Name("limit_event/subpy")
    ->UseManualTime();
BENCHMARK_CAPTURE(lateness, re, "re.match('(a+)+b', 'a' * 40)")
    ->Name("limit_re/subpy")
    ->UseManualTime();
BENCHMARK_CAPTURE(lateness, python, "while True: pass")
    ->Name("limit_python/subpy")
    ->UseManualTime();
