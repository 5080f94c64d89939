/// What the programs without Google Benchmark measure by.
#pragma once

#include "clock.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// How long a call takes, in nanoseconds.
template <class Call> double time_of(Call call) {
  const double start = now();
  call();
  return (now() - start) * 1e9;
}
