/// Times several OS threads, each at work in an interpreter of its own.
#pragma once

#include "clock.hpp"

#include <benchmark/benchmark.h>

#include <atomic>
#include <thread>
#include <vector>

/// How many interpreters there are, how many runs each makes of the busy program, and of the short.
constexpr int MOST_THREADS = 4;
constexpr int BUSY_RUNS = 2;
constexpr int SHORT_RUNS = 50'000;

/// As long as a process has had one thread only, glibc's mutexes spare their atomic instructions,
/// and a GIL is taken in half the time: no host of many interpreters sees that.
inline void become_multithreaded() {
  std::thread([] {}).join();
}

/// `enter(i)` gives what thread i does once, before the clock starts: a function that it then calls
/// `runs` times. The time is that of one thread's share of the work.
template <class Enter> void time_threads(benchmark::State &state, int runs, Enter enter) {
  const int count = static_cast<int>(state.range(0));
  for (auto _ : state) {
    std::atomic<int> waiting{count};
    double start = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++) {
      threads.emplace_back([&, i] {
        auto run = enter(i);
        if (--waiting == 0) {
          start = now();
        }
        while (waiting > 0) {
          std::this_thread::yield();
        }
        for (int k = 0; k < runs; k++) {
          run();
        }
      });
    }
    for (std::thread &thread : threads) {
      thread.join();
    }
    state.SetIterationTime((now() - start) / (runs * count));
  }
}

inline void one_two_four(benchmark::internal::Benchmark *benchmark) {
  benchmark->Arg(1)->Arg(2)->Arg(MOST_THREADS)->Iterations(1)->UseManualTime();
}
