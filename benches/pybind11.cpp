// pybind11's subinterpreters at the same work, in its two ways: a thread state for each run
// (`subinterpreter_scoped_activate` of the interpreter) and a kept one (of a
// `subinterpreter_thread_state`).
#include "life.hpp"
#include "parallel.hpp"
#include "pybind11_ways.hpp"
#include "sources.hpp"

#include <benchmark/benchmark.h>

#include <memory>

namespace {

template <class Way> void attach(benchmark::State &state, Way &way) {
  for (auto _ : state) {
    Activate activate(way);
  }
}

template <class Way> void again(benchmark::State &state, Way &way) {
  for (auto _ : state) {
    Activate activate(way);
    py::exec(sources::SHORT);
  }
}

template <class Way> void first(benchmark::State &state, Way &way) {
  sources::Fresh fresh;
  for (auto _ : state) {
    const std::string &source = fresh.next();
    Activate activate(way);
    py::exec(source);
  }
}

template <class Way> void large(benchmark::State &state, Way &way) {
  const std::string source = sources::large();
  for (auto _ : state) {
    Activate activate(way);
    py::exec(source);
  }
}

void life(benchmark::State &state) {
  time_life(
      state, [] { return std::make_unique<py::subinterpreter>(py::subinterpreter::create()); },
      [](std::unique_ptr<py::subinterpreter> &interpreter) { interpreter.reset(); });
}

void parallel(benchmark::State &state, int runs, const char *source) {
  static auto *const interpreters = new std::vector<py::subinterpreter>;
  while (interpreters->size() < MOST_THREADS) {
    interpreters->push_back(py::subinterpreter::create());
  }
  py::gil_scoped_release released;
  time_threads(state, runs, [&](int i) {
    auto own = std::make_unique<py::subinterpreter_thread_state>((*interpreters)[i]);
    return [source, own = std::move(own)] {
      Activate activate(*own);
      py::exec(source);
    };
  });
}

template <class Way> void register_all(const std::string &name, Way &way) {
  const auto add = [&](const char *work, auto function) {
    benchmark::RegisterBenchmark((std::string(work) + "/pybind11_" + name).c_str(),
                                 [&way, function](benchmark::State &s) { function(s, way); });
  };
  add("attach", attach<Way>);
  add("run_again", again<Way>);
  add("run_first", first<Way>);
  add("run_large", large<Way>);
}

} // namespace

BENCHMARK(life)->Name("create/pybind11_kept")->Apply(few_times);
BENCHMARK_CAPTURE(parallel, busy, BUSY_RUNS, sources::BUSY)
    ->Name("parallel/pybind11_kept")
    ->Apply(one_two_four);

int main(int count, char **arguments) {
  become_multithreaded();
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) {
    return 2;
  }
  py::initialize_interpreter();
  register_all("transient", shared().transient());
  register_all("kept", shared().state);
  benchmark::RunSpecifiedBenchmarks();
  std::fflush(nullptr);
  std::_Exit(0); // not finalized: the shared interpreters are still there
}
