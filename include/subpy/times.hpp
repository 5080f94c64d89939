/// @file
/// Times in the form that C takes. Internal to subpy.hpp.

#ifndef SUBPY_TIMES_HPP
#define SUBPY_TIMES_HPP

#include <subpy.h>
#include <subpy/exceptions.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

/// How long to wait. Less than zero: not at all. `std::chrono::milliseconds::max()`: for ever.
inline std::uint64_t wait_ms(std::chrono::milliseconds wait) noexcept {
  return wait == std::chrono::milliseconds::max()
             ? SUBPY_FOREVER
             : static_cast<std::uint64_t>(std::max(wait, std::chrono::milliseconds(0)).count());
}

/// A limit, of which C takes 0 for its default. Less than zero: no time at all.
inline std::uint64_t limit_ms(std::chrono::milliseconds limit) noexcept {
  return limit.count() < 0 ? 1 : wait_ms(limit);
}

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
