/// @file
/// What a call that can fail returns.

#ifndef SUBPY_RESULT_HPP
#define SUBPY_RESULT_HPP

#include <subpy/error.hpp>

#include <cstdlib>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// A value, or the Error of the call that failed to make one.
///
/// Without exceptions, each call that can fail returns a Result. The compiler warns if a program
/// does not look at it.
///
/// @code
/// if (subpy::Result<int> answer = python.eval<int>("6 * 7")) {
///   std::printf("%d\n", *answer);
/// } else {
///   std::fprintf(stderr, "%s\n", answer.error().what());
/// }
/// @endcode
///
/// With and without exceptions, a host function may return a Result: see Interpreter::define().
///
/// @tparam T Any type that is no reference. void: there is no value, only success or an Error.
template <typename T> class [[nodiscard]] Result {
  template <typename U> static constexpr bool is_error = std::is_convertible_v<U, Error>;
  template <typename U>
  static constexpr bool is_value =
      std::is_convertible_v<U, T> && !is_error<U> && !std::is_same_v<std::decay_t<U>, Result>;

public:
  /// Makes a result with a value, from anything that converts to T.
  template <typename U = T, std::enable_if_t<is_value<U>, int> = 0>
  Result(U &&value) : held_(std::in_place_index<0>, std::forward<U>(value)) {}

  /// Makes a result with an Error, or with a PythonError.
  template <typename U, std::enable_if_t<is_error<U>, char> = 0>
  Result(U &&error) : held_(std::in_place_index<1>, std::forward<U>(error)) {}

  /// Whether there is a value.
  bool has_value() const noexcept { return held_.index() == 0; }

  /// Whether there is a value. For a `Result<bool>`, this is not the value.
  explicit operator bool() const noexcept { return has_value(); }

  /// The value. The process ends, by `std::abort()`, if there is none.
  T &value() & noexcept { return get(std::get_if<0>(&held_)); }
  /// The value. The process ends, by `std::abort()`, if there is none.
  const T &value() const & noexcept { return get(std::get_if<0>(&held_)); }
  /// The value, moved out. The process ends, by `std::abort()`, if there is none.
  T value() && { return std::move(value()); }

  /// As value().
  T &operator*() & noexcept { return value(); }
  /// As value().
  const T &operator*() const & noexcept { return value(); }
  /// As value().
  T operator*() && { return std::move(value()); }
  /// As value(), for a member of it.
  T *operator->() noexcept { return &value(); }
  /// As value(), for a member of it.
  const T *operator->() const noexcept { return &value(); }

  /// Why there is no value. The process ends, by `std::abort()`, if there is one.
  const Error &error() const & noexcept { return get(std::get_if<1>(&held_)); }
  /// Why there is no value, as a copy. The process ends, by `std::abort()`, if there is one.
  Error error() && noexcept { return get(std::get_if<1>(&held_)); }

private:
  template <typename Held> static Held &get(Held *held) noexcept {
    if (!held) {
      std::abort();
    }
    return *held;
  }

  std::variant<T, Error> held_;
};

/// The success of a call, or the Error of a call that failed.
template <> class [[nodiscard]] Result<void> {
public:
  /// Makes a success: `return {};`
  Result() noexcept = default;

  /// Makes a result with an Error, or with a PythonError.
  template <typename U, std::enable_if_t<std::is_convertible_v<U, Error>, int> = 0>
  Result(U &&error) : error_(std::forward<U>(error)) {}

  /// Whether the call succeeded.
  bool has_value() const noexcept { return !error_; }

  /// Whether the call succeeded.
  explicit operator bool() const noexcept { return has_value(); }

  /// Ends the process, by `std::abort()`, if the call failed.
  void value() const noexcept {
    if (error_) {
      std::abort();
    }
  }

  /// Why the call failed. The process ends, by `std::abort()`, if it succeeded.
  const Error &error() const & noexcept {
    if (!error_) {
      std::abort();
    }
    return *error_;
  }
  /// Why the call failed, as a copy. The process ends, by `std::abort()`, if it succeeded.
  Error error() && noexcept { return static_cast<const Result &>(*this).error(); }

private:
  std::optional<Error> error_;
};

/// What a call that can fail returns: T with exceptions, and `Result<T>` without.
#if SUBPY_EXCEPTIONS
template <typename T> using Returns = T;
#else
template <typename T> using Returns = Result<T>;
#endif

namespace detail {

template <typename T> inline constexpr bool is_result = false;
template <typename T> inline constexpr bool is_result<Result<T>> = true;

/// Fails with the error of a C call, if that failed.
inline Returns<void> check(subpy_status status, subpy_error *error) {
  if (status != SUBPY_OK) {
    SUBPY_FAIL(Error(error));
  }
  return Returns<void>();
}

/// Makes a C call, whose last argument is the place for its error.
template <typename... Parameters, typename... Arguments>
Returns<void> call(subpy_status (*function)(Parameters...), Arguments... arguments) {
  subpy_error *error = nullptr;
  const subpy_status status = function(arguments..., &error);
  return check(status, error);
}

/// Throws what a callback has thrown. If the C call failed, too, throws its Error with the other
/// exception nested in it.
inline void rethrow([[maybe_unused]] const std::exception_ptr &thrown,
                    [[maybe_unused]] subpy_status status, [[maybe_unused]] subpy_error *error) {
#if SUBPY_EXCEPTIONS
  try {
    std::rethrow_exception(thrown);
  } catch (...) {
    if (status == SUBPY_OK) {
      throw;
    }
    std::throw_with_nested(Error(error));
  }
#endif
}

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
