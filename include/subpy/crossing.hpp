/// @file
/// How C++ types become Python values, and the reverse.

#ifndef SUBPY_CROSSING_HPP
#define SUBPY_CROSSING_HPP

#include <subpy/builder.hpp>
#include <subpy/mismatch.hpp>

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// Says how a type of the host's crosses: as another type that crosses. The host specializes it.
///
/// @code
/// template <> struct subpy::CrossesAs<Point> {
///   using type = std::pair<double, double>;
///   static type to(const Point &point) { return {point.x, point.y}; }
///   static Point from(const type &pair) { return {pair.first, pair.second}; }
/// };
/// @endcode
///
/// For one direction, one of the two functions is enough. An exception that they throw comes out of
/// the call. `from` may also return a `std::optional<Point>`. If that is empty, the call fails with
/// #SUBPY_ERR_NOT_SHAREABLE, and the message says which value it was.
template <typename T> struct CrossesAs;

namespace detail {

/// How a type crosses. A specialization has these members:
///
///     flags          the flags with which a C call has to ask Python for a T
///     borrows        whether a T from Python points into the value
///     to_python      makes a value, which may point to the T and to what the Builder owns
///     from_python    makes a T, or notes why it can't
///
/// The primary template is for types that do not cross.
template <typename T, typename = void> struct Crossing {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;
};

template <typename T, typename = void> inline constexpr bool crosses_to = false;
template <typename T>
inline constexpr bool crosses_to<T, std::void_t<decltype(Crossing<T>::to_python(
                                        std::declval<const T &>(), std::declval<Builder &>()))>> =
    true;

template <typename T, typename = void> inline constexpr bool crosses_from = false;
template <typename T>
inline constexpr bool
    crosses_from<T, std::void_t<decltype(Crossing<T>::from_python(
                        std::declval<const subpy_value &>(), std::declval<Mismatch &>()))>> = true;

template <typename T> inline constexpr bool is_optional = false;
template <typename T> inline constexpr bool is_optional<std::optional<T>> = true;

template <typename T> inline constexpr std::uint32_t flags_of = Crossing<T>::flags;
template <> inline constexpr std::uint32_t flags_of<void> = 0;
template <typename T> inline constexpr bool borrows = Crossing<T>::borrows;

/// Makes a value of a T.
template <typename T> subpy_value to_python(const T &thing, Builder &builder) {
  static_assert(crosses_to<T>, "subpy: this type can't cross to Python. subpy.hpp lists those that "
                               "can; for one of your own, specialize subpy::CrossesAs");
  if constexpr (crosses_to<T>) {
    return Crossing<T>::to_python(thing, builder);
  } else {
    return subpy_none();
  }
}

/// Makes a T of a value. If it can't, it notes why.
template <typename T> std::optional<T> from_python(const subpy_value &value, Mismatch &mismatch) {
  static_assert(crosses_from<T>,
                "subpy: this type can't cross from Python. subpy.hpp lists those that can; for one "
                "of your own, specialize subpy::CrossesAs");
  if constexpr (crosses_from<T>) {
    return Crossing<T>::from_python(value, mismatch);
  } else {
    return std::nullopt;
  }
}

template <typename T, typename = void> inline constexpr bool has_crosses_as = false;
template <typename T>
inline constexpr bool has_crosses_as<T, std::void_t<typename CrossesAs<T>::type>> = true;

/// A type for which the host has a CrossesAs.
template <typename T> struct Crossing<T, std::void_t<typename CrossesAs<T>::type>> {
  using As = typename CrossesAs<T>::type;
  static constexpr std::uint32_t flags = flags_of<As>;
  static constexpr bool borrows = detail::borrows<As>;

  template <typename U, typename = decltype(CrossesAs<U>::to(std::declval<const U &>()))>
  static subpy_value to_python(const U &thing, Builder &builder) {
    return detail::to_python<As>(builder.keep<As>(CrossesAs<U>::to(thing)), builder);
  }

  template <typename U = T, typename = decltype(CrossesAs<U>::from(std::declval<As>()))>
  static std::optional<U> from_python(const subpy_value &value, Mismatch &mismatch) {
    std::optional<As> as = detail::from_python<As>(value, mismatch);
    if (!as) {
      return std::nullopt;
    }
    std::optional<U> made(CrossesAs<U>::from(std::move(*as)));
    if (!made) {
      mismatch.note(value, "a value that subpy::CrossesAs accepts");
    }
    return made;
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
