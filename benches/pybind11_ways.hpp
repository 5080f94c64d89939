/// The interpreter that the benchmarks of pybind11 share. It stays until the process ends.
#pragma once

#include <pybind11/embed.h>
#include <pybind11/subinterpreter.h>

namespace py = pybind11;
using Activate = py::subinterpreter_scoped_activate;

struct Kept {
  py::subinterpreter interpreter = py::subinterpreter::create();
  py::subinterpreter_thread_state state{interpreter};

  py::subinterpreter &transient() { return interpreter; }
};

inline Kept &shared() {
  static auto *const kept = new Kept;
  return *kept;
}
