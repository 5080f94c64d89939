// Creating and destroying interpreters. The time is that of creating; destroying is a counter.
#include "life.hpp"
#include "ways.hpp"

static void life_raw(benchmark::State &state) { time_life(state, raw::create, raw::destroy); }
BENCHMARK(life_raw)->Name("create/raw")->Apply(few_times);

static void life_c(benchmark::State &state) {
  time_life(state, create, [](subpy_id id) { check(subpy_destroy(id, nullptr)); });
}
BENCHMARK(life_c)->Name("create/subpy")->Apply(few_times);

static void life_cpp(benchmark::State &state) {
  time_life(
      state, [] { return subpy::Interpreter(); },
      [](subpy::Interpreter &interpreter) { interpreter.destroy(); });
}
BENCHMARK(life_cpp)->Name("create/subpy_cpp")->Apply(few_times);
