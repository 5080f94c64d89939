// A script that allocates and frees all the time, which is where counting memory costs most.
#include "sources.hpp"
#include "ways.hpp"

#include <benchmark/benchmark.h>

static void allocate_raw(benchmark::State &state) {
  PyThreadState *const interpreter = raw_interpreter();
  const raw::Program program(interpreter, sources::ALLOCATES);
  for (auto _ : state) {
    program.run(interpreter);
  }
}
BENCHMARK(allocate_raw)->Name("allocate/raw");

static void allocate_c(benchmark::State &state) {
  const subpy_id interpreter = c_interpreter();
  for (auto _ : state) {
    run(interpreter, sources::ALLOCATES);
  }
}
BENCHMARK(allocate_c)->Name("allocate/subpy");
