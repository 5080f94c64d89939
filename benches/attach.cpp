// Attaching a kept thread state and detaching it.
#include "sources.hpp"
#include "ways.hpp"

#include <benchmark/benchmark.h>

/// In a library that is built with the feature `bench`: enters an interpreter and leaves it.
extern "C" __attribute__((weak)) subpy_status subpy_bench_attach(subpy_id id);

static void attach_raw(benchmark::State &state) {
  PyThreadState *const interpreter = raw_interpreter();
  for (auto _ : state) {
    PyEval_RestoreThread(interpreter);
    PyEval_SaveThread();
  }
}
BENCHMARK(attach_raw)->Name("attach/raw");

static void attach_subpy(benchmark::State &state) {
  const subpy_id interpreter = c_interpreter();
  for (auto _ : state) {
    check(subpy_bench_attach(interpreter));
  }
}
[[maybe_unused]] static const auto *const registered =
    subpy_bench_attach ? benchmark::RegisterBenchmark("attach/subpy", attach_subpy) : nullptr;

// The evaluation alone: a run less this is what a way spends on attaching, detaching and the rest.
static void evaluate_raw(benchmark::State &state) {
  PyThreadState *const interpreter = raw_interpreter();
  const raw::Program program(interpreter, sources::SHORT);
  PyEval_RestoreThread(interpreter);
  for (auto _ : state) {
    program.evaluate();
  }
  PyEval_SaveThread();
}
BENCHMARK(evaluate_raw)->Name("evaluate/raw");
