/// @file
/// The difference between compiling with exceptions and without. Internal to subpy.hpp.
///
/// A function that can fail is written once, for both. It returns `Returns<T>`. It wraps each call
/// that can fail in SUBPY_TRY(). It uses SUBPY_FAIL() to fail itself.

#ifndef SUBPY_EXCEPTIONS_HPP
#define SUBPY_EXCEPTIONS_HPP

#if defined(_MSVC_LANG) ? _MSVC_LANG < 201703L : __cplusplus < 201703L
#error "subpy.hpp needs C++17 or later"
#endif

#include <utility>

// SUBPY_EXCEPTIONS       1 with exceptions, 0 without
// SUBPY_FAIL(error)      ends a function that returns Returns<T>, with this Error
// SUBPY_TRY(call)        makes a call; if it fails, ends the function with the Error of the call
// SUBPY_NAMESPACE_BEGIN  Without exceptions, all names are in an inline namespace. So the linker
// SUBPY_NAMESPACE_END    can tell functions of the two kinds apart, and one program may have both.

/// @cond
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define SUBPY_EXCEPTIONS 1
#define SUBPY_FAIL(...) throw __VA_ARGS__
#define SUBPY_TRY(...) __VA_ARGS__
#define SUBPY_NAMESPACE_BEGIN
#define SUBPY_NAMESPACE_END
#else
#define SUBPY_EXCEPTIONS 0
#define SUBPY_FAIL(...) return __VA_ARGS__
#define SUBPY_TRY(...)                                                                             \
  if (auto tried = __VA_ARGS__; !tried)                                                            \
  return std::move(tried).error()
#define SUBPY_NAMESPACE_BEGIN inline namespace no_exceptions {
#define SUBPY_NAMESPACE_END }
#endif
/// @endcond

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

/// Calls `work`. If `work` throws, calls `caught` while the exception is handled.
template <typename Work, typename Caught>
auto guard(Work work, [[maybe_unused]] Caught caught) noexcept {
#if SUBPY_EXCEPTIONS
  try {
    return work();
  } catch (...) {
    return caught();
  }
#else
  return work();
#endif
}

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
