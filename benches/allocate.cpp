// A script that allocates and frees all the time, which is where counting memory costs most. To be
// run in processes of its own, with and without that.
#include "sources.hpp"
#include "ways.hpp"

#include <benchmark/benchmark.h>

static void allocate(benchmark::State &state) {
  const subpy_id interpreter = c_interpreter();
  for (auto _ : state) {
    run(interpreter, sources::ALLOCATES);
  }
}
BENCHMARK(allocate)->Name("allocate/subpy");
