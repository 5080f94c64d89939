/// Times creating an interpreter and destroying it, whatever that is.
#pragma once

#include "clock.hpp"

#include <benchmark/benchmark.h>

/// Before Python 3.14 an interpreter that is destroyed costs 1.7 MiB for good.
inline void few_times(benchmark::internal::Benchmark *benchmark) {
  benchmark->Iterations(1)->UseManualTime();
}

template <class Create, class Destroy>
void time_life(benchmark::State &state, Create create, Destroy destroy) {
  double destroying = 0;
  for (auto _ : state) {
    const double start = now();
    auto interpreter = create();
    const double created = now();
    destroy(interpreter);
    destroying += now() - created;
    state.SetIterationTime(created - start);
  }
  state.counters["destroy"] =
      benchmark::Counter(destroying * 1e9, benchmark::Counter::kAvgIterations);
}
