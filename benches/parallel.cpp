// N interpreters in N threads: pure Python, and short strings, where a lock of ours would show.
#include "parallel.hpp"
#include "sources.hpp"
#include "ways.hpp"

#include <memory>

static PyThreadState *raw_interpreter(int i) {
  static PyThreadState *const states[MOST_THREADS] = {raw::create(), raw::create(), raw::create(),
                                                      raw::create()};
  return states[i];
}

static subpy_id c_interpreter(int i) {
  static const subpy_id ids[MOST_THREADS] = {create(), create(), create(), create()};
  return ids[i];
}

static subpy::Interpreter &cpp_interpreter(int i) {
  static auto *const interpreters = new subpy::Interpreter[MOST_THREADS];
  return interpreters[i];
}

static void parallel_raw(benchmark::State &state, int runs, const char *source) {
  std::vector<raw::Program> programs;
  for (int i = 0; i < MOST_THREADS; i++) {
    programs.emplace_back(raw_interpreter(i), source);
  }
  time_threads(state, runs, [&](int i) {
    // A thread's own state, as CPython asks for; let go of when the thread is done.
    struct Delete {
      void operator()(PyThreadState *own) const {
        PyEval_RestoreThread(own);
        PyThreadState_Clear(own);
        PyThreadState_DeleteCurrent();
      }
    };
    auto *const interpreter = PyThreadState_GetInterpreter(raw_interpreter(i));
    std::unique_ptr<PyThreadState, Delete> own(PyThreadState_New(interpreter));
    return [&, i, own = std::move(own)] { programs[i].run(own.get()); };
  });
}
BENCHMARK_CAPTURE(parallel_raw, busy, BUSY_RUNS, sources::BUSY)
    ->Name("parallel/raw")
    ->Apply(one_two_four);
BENCHMARK_CAPTURE(parallel_raw, brief, SHORT_RUNS, sources::SHORT)
    ->Name("parallel_short/raw")
    ->Apply(one_two_four);

static void parallel_c(benchmark::State &state, int runs, const char *source) {
  time_threads(state, runs, [&](int i) {
    run(c_interpreter(i), source);
    return [=] { run(c_interpreter(i), source); };
  });
}
BENCHMARK_CAPTURE(parallel_c, busy, BUSY_RUNS, sources::BUSY)
    ->Name("parallel/subpy")
    ->Apply(one_two_four);
BENCHMARK_CAPTURE(parallel_c, brief, SHORT_RUNS, sources::SHORT)
    ->Name("parallel_short/subpy")
    ->Apply(one_two_four);

static void parallel_cpp(benchmark::State &state, int runs, const char *source) {
  time_threads(state, runs, [&](int i) {
    subpy::Interpreter &interpreter = cpp_interpreter(i);
    interpreter.run(source);
    return [&interpreter, source] { interpreter.run(source); };
  });
}
BENCHMARK_CAPTURE(parallel_cpp, busy, BUSY_RUNS, sources::BUSY)
    ->Name("parallel/subpy_cpp")
    ->Apply(one_two_four);
BENCHMARK_CAPTURE(parallel_cpp, brief, SHORT_RUNS, sources::SHORT)
    ->Name("parallel_short/subpy_cpp")
    ->Apply(one_two_four);
