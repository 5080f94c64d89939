// A run in a namespace, beside one in `__main__`. And what a namespace costs.
#include "sources.hpp"
#include "ways.hpp"

#include <benchmark/benchmark.h>

#include <cstring>

static void run_in(benchmark::State &state, const char *name) {
  const subpy_id interpreter = c_interpreter();
  subpy_run_options options = SUBPY_RUN_OPTIONS_INIT;
  options.in_namespace = name;
  for (auto _ : state) {
    check(subpy_run_string_with(interpreter, &options, sources::SHORT, std::strlen(sources::SHORT),
                                nullptr));
  }
}

static void in_main(benchmark::State &state) { run_in(state, nullptr); }
BENCHMARK(in_main)->Name("namespace_run/raw");

static void in_one(benchmark::State &state) {
  check(subpy_add_namespace(c_interpreter(), "bench", nullptr));
  run_in(state, "bench");
  check(subpy_remove_namespace(c_interpreter(), "bench", nullptr));
}
BENCHMARK(in_one)->Name("namespace_run/subpy");

static void add_and_remove(benchmark::State &state) {
  const subpy_id interpreter = c_interpreter();
  for (auto _ : state) {
    check(subpy_add_namespace(interpreter, "bench", nullptr));
    check(subpy_remove_namespace(interpreter, "bench", nullptr));
  }
}
BENCHMARK(add_and_remove)->Name("namespace_life/subpy");
