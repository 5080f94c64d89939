/// The interpreters of ways.hpp, with the functions of data.hpp in them.
#pragma once

#include "data.hpp"
#include "ways.hpp"

/// The raw side keeps what can be kept: the namespace, and names as objects.
struct RawData {
  PyThreadState *state;
  PyObject *globals, *add, *handle, *floats, *memory;
};

inline const RawData &raw_data() {
  static const RawData data = [] {
    PyThreadState *const state = raw_interpreter();
    raw::Program(state, data::FUNCTIONS).run(state);
    PyEval_RestoreThread(state);
    const RawData made = {state,
                          raw::Program::globals(),
                          PyUnicode_InternFromString("add"),
                          PyUnicode_InternFromString("handle"),
                          PyUnicode_InternFromString("floats"),
                          PyUnicode_InternFromString("memory")};
    PyEval_SaveThread();
    return made;
  }();
  return data;
}

inline subpy_id c_data() {
  static const subpy_id id = [] {
    run(c_interpreter(), data::FUNCTIONS);
    return c_interpreter();
  }();
  return id;
}

inline subpy::Interpreter &cpp_data() {
  static subpy::Interpreter &interpreter = [&]() -> subpy::Interpreter & {
    cpp_interpreter().run(data::FUNCTIONS);
    return cpp_interpreter();
  }();
  return interpreter;
}
