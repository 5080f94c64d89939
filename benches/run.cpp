// Running a short string again, several in turn, and strings that are new. What is run again has
// run before the clock starts.
#include "sources.hpp"
#include "ways.hpp"

#include <benchmark/benchmark.h>

#include <vector>

static void again_raw(benchmark::State &state) {
  PyThreadState *const interpreter = raw_interpreter();
  const raw::Program program(interpreter, sources::SHORT);
  for (auto _ : state) {
    program.run(interpreter);
  }
}
BENCHMARK(again_raw)->Name("run_again/raw");
BENCHMARK(again_raw)->Name("limit_not_reached/raw");
BENCHMARK(again_raw)->Name("limit_small_stack/raw");

static void again_c(benchmark::State &state) {
  const subpy_id interpreter = c_interpreter();
  run(interpreter, sources::SHORT);
  for (auto _ : state) {
    run(interpreter, sources::SHORT);
  }
}
BENCHMARK(again_c)->Name("run_again/subpy");

static void again_cpp(benchmark::State &state) {
  subpy::Interpreter &interpreter = cpp_interpreter();
  interpreter.run(sources::SHORT);
  for (auto _ : state) {
    interpreter.run(sources::SHORT);
  }
}
BENCHMARK(again_cpp)->Name("run_again/subpy_cpp");

static void turns_raw(benchmark::State &state) {
  PyThreadState *const interpreter = raw_interpreter();
  std::vector<raw::Program> programs;
  for (int i = 0; i < sources::TURNS; i++) {
    programs.emplace_back(interpreter, sources::short_number(i).c_str());
  }
  int i = 0;
  for (auto _ : state) {
    programs[i++ % sources::TURNS].run(interpreter);
  }
}
BENCHMARK(turns_raw)->Name("run_turns/raw");

static void turns_c(benchmark::State &state) {
  const subpy_id interpreter = c_interpreter();
  std::vector<std::string> programs;
  for (int i = 0; i < sources::TURNS; i++) {
    programs.push_back(sources::short_number(i));
    run(interpreter, programs.back().c_str());
  }
  int i = 0;
  for (auto _ : state) {
    run(interpreter, programs[i++ % sources::TURNS].c_str());
  }
}
BENCHMARK(turns_c)->Name("run_turns/subpy");

static void turns_cpp(benchmark::State &state) {
  subpy::Interpreter &interpreter = cpp_interpreter();
  std::vector<std::string> programs;
  for (int i = 0; i < sources::TURNS; i++) {
    programs.push_back(sources::short_number(i));
    interpreter.run(programs.back());
  }
  int i = 0;
  for (auto _ : state) {
    interpreter.run(programs[i++ % sources::TURNS]);
  }
}
BENCHMARK(turns_cpp)->Name("run_turns/subpy_cpp");

static void first_raw(benchmark::State &state) {
  PyThreadState *const interpreter = raw_interpreter();
  sources::Fresh fresh;
  for (auto _ : state) {
    const char *const source = fresh.next().c_str();
    PyEval_RestoreThread(interpreter);
    PyObject *const code = raw::Program::compile(source);
    raw::Program::evaluate(code, raw::Program::globals());
    Py_DECREF(code);
    PyEval_SaveThread();
  }
}
BENCHMARK(first_raw)->Name("run_first/raw");

static void first_c(benchmark::State &state) {
  const subpy_id interpreter = c_interpreter();
  sources::Fresh fresh;
  for (auto _ : state) {
    run(interpreter, fresh.next().c_str());
  }
}
BENCHMARK(first_c)->Name("run_first/subpy");

static void first_cpp(benchmark::State &state) {
  subpy::Interpreter &interpreter = cpp_interpreter();
  sources::Fresh fresh;
  for (auto _ : state) {
    interpreter.run(fresh.next());
  }
}
BENCHMARK(first_cpp)->Name("run_first/subpy_cpp");
