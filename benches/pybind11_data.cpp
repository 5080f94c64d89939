// pybind11 at the work of call.cpp, host_function.cpp and memory.cpp, with a kept thread state.
#include "clock.hpp"
#include "data.hpp"
#include "pybind11_ways.hpp"

#include <benchmark/benchmark.h>
#include <pybind11/stl.h>

namespace {

/// `__main__` of the shared interpreter, with the functions of data.hpp.
py::module_ &main_module() {
  static auto *const main = [] {
    py::exec(data::FUNCTIONS);
    return new py::module_(py::module_::import("__main__"));
  }();
  return *main;
}

void call_ints(benchmark::State &state) {
  std::int64_t n = 0;
  for (auto _ : state) {
    Activate activate(shared().state);
    n = main_module().attr("add")(n, 2).cast<std::int64_t>();
  }
}
BENCHMARK(call_ints)->Name("call_ints/pybind11_kept");

void call_dict(benchmark::State &state) {
  for (auto _ : state) {
    Activate activate(shared().state);
    benchmark::DoNotOptimize(
        main_module().attr("handle")(data::event()).cast<std::vector<double>>().back());
  }
}
BENCHMARK(call_dict)->Name("call_dict/pybind11_kept");

void get_floats(benchmark::State &state) {
  for (auto _ : state) {
    Activate activate(shared().state);
    benchmark::DoNotOptimize(main_module().attr("floats").cast<std::vector<double>>().back());
  }
}
BENCHMARK(get_floats)->Name("get_floats/pybind11_kept");

void host_calls(benchmark::State &state) {
  Activate activate(shared().state);
  const py::cpp_function answer([](std::int64_t number, std::string_view text) {
    return number + static_cast<std::int64_t>(text.size());
  });
  const py::object call = main_module().attr("call");
  for (auto _ : state) {
    const double start = now();
    call(answer, data::CALLS);
    state.SetIterationTime((now() - start) / data::CALLS);
  }
}
BENCHMARK(host_calls)->Name("host_calls/pybind11_kept")->Iterations(1)->UseManualTime();

py::memoryview shared_memory() {
  return py::memoryview::from_memory(static_cast<const void *>(data::large().data()),
                                     static_cast<py::ssize_t>(data::large().size()));
}

void share() {
  Activate activate(shared().state);
  main_module().attr("memory") = shared_memory();
}

void buffer_in(benchmark::State &state) {
  share();
  for (auto _ : state) {
    share();
  }
}
BENCHMARK(buffer_in)->Name("buffer_in/pybind11_kept");

void buffer_out(benchmark::State &state) {
  share();
  for (auto _ : state) {
    Activate activate(shared().state);
    const py::buffer_info info = main_module().attr("memory").cast<py::buffer>().request();
    benchmark::DoNotOptimize(static_cast<char *>(info.ptr)[info.size - 1]);
  }
}
BENCHMARK(buffer_out)->Name("buffer_out/pybind11_kept");

void bytes_round(benchmark::State &state) {
  for (auto _ : state) {
    Activate activate(shared().state);
    main_module().attr("memory") = py::bytes(data::large().data(), data::large().size());
    benchmark::DoNotOptimize(main_module().attr("memory").cast<std::string>().back());
  }
}
BENCHMARK(bytes_round)->Name("bytes_round/pybind11_kept")->Iterations(1);

} // namespace
