/// @file
/// Structs of the host's, which cross as dicts.

#ifndef SUBPY_STRUCT_FIELDS_HPP
#define SUBPY_STRUCT_FIELDS_HPP

#include <subpy/crossing.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// A field of a struct, which field() makes.
template <typename Struct, typename T> struct Field {
  using type = T;    ///< Its type.
  const char *name;  ///< The key that it has in Python.
  T Struct::*member; ///< Where it is.
};

/// Makes a field of a struct: `field("x", &Point::x)`.
template <typename Struct, typename T>
constexpr Field<Struct, T> field(const char *name, T Struct::*member) noexcept {
  return {name, member};
}

/// Says which fields a struct of the host's has. #SUBPY_STRUCT specializes it. The host does so itself for a template, for
/// more than 32 fields, or for other names:
///
/// @code
/// template <typename T> struct subpy::Fields<Vector<T>> {
///   static constexpr const char *name = "Vector";
///   static constexpr auto all() {
///     return std::make_tuple(field("x", &Vector<T>::x), field("y", &Vector<T>::y));
///   }
/// };
/// @endcode
template <typename T> struct Fields;

namespace detail {

template <typename T, typename = void> inline constexpr bool has_fields = false;
template <typename T>
inline constexpr bool has_fields<T, std::void_t<decltype(Fields<T>::all())>> = true;

template <typename T, typename... All>
constexpr std::uint32_t flags_of_fields(const std::tuple<Field<T, All>...> &) noexcept {
  return (0U | ... | flags_of<All>);
}
template <typename T, typename... All>
constexpr bool fields_borrow(const std::tuple<Field<T, All>...> &) noexcept {
  return (false || ... || borrows<All>);
}

/// A struct that has Fields is a dict. It comes from any dict that has these keys, and from a dataclass.
template <typename T> struct Crossing<T, std::enable_if_t<has_fields<T>>> {
  static constexpr std::uint32_t flags = SUBPY_CONVERT | flags_of_fields(Fields<T>::all());
  static constexpr bool borrows = fields_borrow(Fields<T>::all());

  static subpy_value to_python(const T &thing, Builder &builder) {
    constexpr auto fields = Fields<T>::all();
    constexpr std::size_t count = std::tuple_size_v<decltype(fields)>;
    subpy_value *const items = builder.items(2 * count);
    std::size_t i = 0;
    const auto add = [&](const auto &field) {
      using Type = typename std::decay_t<decltype(field)>::type;
      items[i++] = subpy_str(field.name);
      items[i++] = detail::to_python<Type>(thing.*field.member, builder);
    };
    std::apply([&](const auto &...field) { (add(field), ...); }, fields);
    return subpy_dict(items, count);
  }

  static std::optional<T> from_python(const subpy_value &value, Mismatch &mismatch) {
    static_assert(std::is_default_constructible_v<T>,
                  "subpy: a struct that comes from Python is made without arguments, and filled");
    if (value.kind != SUBPY_DICT) {
      mismatch.note(value, Fields<T>::name);
      return std::nullopt;
    }
    std::optional<T> made(std::in_place);
    const auto fill = [&](const auto &field) {
      using Type = typename std::decay_t<decltype(field)>::type;
      const subpy_value *const item = subpy_value_get(&value, field.name);
      if (!item) {
        if (!is_optional<Type>) {
          mismatch.note_missing(value, Fields<T>::name, field.name);
        }
        return is_optional<Type>;
      }
      std::optional<Type> found = detail::from_python<Type>(*item, mismatch);
      if (found) {
        (*made).*field.member = std::move(*found);
      }
      return found.has_value();
    };
    const bool whole =
        std::apply([&](const auto &...field) { return (fill(field) && ...); }, Fields<T>::all());
    return whole ? std::move(made) : std::nullopt;
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

/// Says that a struct of the host's crosses as a dict of these fields, up to 32. It stands in the global namespace:
///
/// @code
/// struct Point { double x, y; std::optional<std::string> name; };
/// SUBPY_STRUCT(Point, x, y, name);
/// @endcode
///
/// From Python comes any dict that has these keys, or a dataclass with these fields; what it has besides is left out. A
/// `std::optional` may be missing.
#define SUBPY_STRUCT(Struct, ...)                                                                  \
  template <> struct subpy::Fields<Struct> {                                                       \
    using type = Struct;                                                                           \
    static constexpr const char *name = #Struct;                                                   \
    static constexpr auto all() { return ::std::make_tuple(SUBPY_EACH_FIELD(__VA_ARGS__)); }       \
  }

/// @cond
#define SUBPY_EACH_FIELD(...)                                                                      \
  SUBPY_FIELDS_COUNT(__VA_ARGS__, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17,  \
                     16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)                     \
  (__VA_ARGS__)
#define SUBPY_FIELDS_COUNT(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, \
                           y, z, aa, bb, cc, dd, ee, ff, count, ...)                               \
  SUBPY_FIELDS_##count
#define SUBPY_FIELDS_1(one) ::subpy::field(#one, &type::one)
#define SUBPY_FIELDS_2(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_1(__VA_ARGS__)
#define SUBPY_FIELDS_3(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_2(__VA_ARGS__)
#define SUBPY_FIELDS_4(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_3(__VA_ARGS__)
#define SUBPY_FIELDS_5(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_4(__VA_ARGS__)
#define SUBPY_FIELDS_6(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_5(__VA_ARGS__)
#define SUBPY_FIELDS_7(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_6(__VA_ARGS__)
#define SUBPY_FIELDS_8(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_7(__VA_ARGS__)
#define SUBPY_FIELDS_9(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_8(__VA_ARGS__)
#define SUBPY_FIELDS_10(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_9(__VA_ARGS__)
#define SUBPY_FIELDS_11(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_10(__VA_ARGS__)
#define SUBPY_FIELDS_12(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_11(__VA_ARGS__)
#define SUBPY_FIELDS_13(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_12(__VA_ARGS__)
#define SUBPY_FIELDS_14(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_13(__VA_ARGS__)
#define SUBPY_FIELDS_15(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_14(__VA_ARGS__)
#define SUBPY_FIELDS_16(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_15(__VA_ARGS__)
#define SUBPY_FIELDS_17(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_16(__VA_ARGS__)
#define SUBPY_FIELDS_18(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_17(__VA_ARGS__)
#define SUBPY_FIELDS_19(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_18(__VA_ARGS__)
#define SUBPY_FIELDS_20(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_19(__VA_ARGS__)
#define SUBPY_FIELDS_21(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_20(__VA_ARGS__)
#define SUBPY_FIELDS_22(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_21(__VA_ARGS__)
#define SUBPY_FIELDS_23(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_22(__VA_ARGS__)
#define SUBPY_FIELDS_24(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_23(__VA_ARGS__)
#define SUBPY_FIELDS_25(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_24(__VA_ARGS__)
#define SUBPY_FIELDS_26(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_25(__VA_ARGS__)
#define SUBPY_FIELDS_27(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_26(__VA_ARGS__)
#define SUBPY_FIELDS_28(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_27(__VA_ARGS__)
#define SUBPY_FIELDS_29(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_28(__VA_ARGS__)
#define SUBPY_FIELDS_30(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_29(__VA_ARGS__)
#define SUBPY_FIELDS_31(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_30(__VA_ARGS__)
#define SUBPY_FIELDS_32(one, ...) SUBPY_FIELDS_1(one), SUBPY_FIELDS_31(__VA_ARGS__)
/// @endcond

#endif
