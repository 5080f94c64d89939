/// @file
/// How containers cross. Internal to subpy.hpp.

#ifndef SUBPY_CROSSING_CONTAINERS_HPP
#define SUBPY_CROSSING_CONTAINERS_HPP

#include <subpy/crossing.hpp>
#include <subpy/crossing_scalars.hpp>

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <list>
#include <map>
#include <optional>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

/// The items of a list or a tuple. NULL for any other value.
inline const subpy_items *items_of(const subpy_value &value) noexcept {
  return value.kind == SUBPY_LIST || value.kind == SUBPY_TUPLE ? &value.as.items : nullptr;
}

// Lists. ------------------------------------------------------------------------------------------

/// An iterator over C values that makes numbers of them: 0 of one that is none, which it notes. A
/// vector of such a range is allocated once, and written once.
template <typename Number> class Numbers {
public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = Number;
  using difference_type = std::ptrdiff_t;
  using pointer = const Number *;
  using reference = Number;

  Numbers(const subpy_value *at, Mismatch &mismatch) noexcept : at_(at), mismatch_(&mismatch) {}
  Number operator*() const { return from_python<Number>(*at_, *mismatch_).value_or(Number()); }
  Numbers &operator++() noexcept {
    ++at_;
    return *this;
  }
  bool operator==(const Numbers &other) const noexcept { return at_ == other.at_; }
  bool operator!=(const Numbers &other) const noexcept { return at_ != other.at_; }

private:
  const subpy_value *at_;
  Mismatch *mismatch_;
};

template <typename Sequence> subpy_value list_of(const Sequence &sequence, Builder &builder) {
  subpy_value *const items = builder.items(sequence.size());
  std::size_t i = 0;
  for (const auto &item : sequence) {
    items[i++] = to_python<typename Sequence::value_type>(item, builder);
  }
  return subpy_list(items, i);
}

template <typename T> inline constexpr bool is_vector = false;
template <typename T, typename Allocator>
inline constexpr bool is_vector<std::vector<T, Allocator>> = true;

template <typename Sequence> struct SequenceCrossing {
  using Item = typename Sequence::value_type;
  static constexpr std::uint32_t flags = flags_of<Item>;
  static constexpr bool borrows = detail::borrows<Item>;

  static subpy_value to_python(const Sequence &sequence, Builder &builder) {
    return list_of(sequence, builder);
  }

  static std::optional<Sequence> from_python(const subpy_value &value, Mismatch &mismatch) {
    const subpy_items *const items = items_of(value);
    if (!items) {
      mismatch.note(value, "a list or tuple");
      return std::nullopt;
    }
    if constexpr (is_vector<Sequence> && std::is_arithmetic_v<Item>) { // large data comes this way
      using Iterator = Numbers<Item>;
      std::optional<Sequence> numbers(std::in_place, Iterator(items->data, mismatch),
                                      Iterator(items->data + items->length, mismatch));
      return mismatch ? std::nullopt : std::move(numbers);
    }
    std::optional<Sequence> sequence(std::in_place);
    if constexpr (is_vector<Sequence>) {
      sequence->reserve(items->length);
    }
    for (std::size_t i = 0; i < items->length; i++) {
      std::optional<Item> item = detail::from_python<Item>(items->data[i], mismatch);
      if (!item) {
        return std::nullopt;
      }
      sequence->push_back(std::move(*item));
    }
    return sequence;
  }
};
template <typename T, typename Allocator>
struct Crossing<std::vector<T, Allocator>> : SequenceCrossing<std::vector<T, Allocator>> {};
template <typename T, typename Allocator>
struct Crossing<std::deque<T, Allocator>> : SequenceCrossing<std::deque<T, Allocator>> {};
template <typename T, typename Allocator>
struct Crossing<std::list<T, Allocator>> : SequenceCrossing<std::list<T, Allocator>> {};

// Tuples and arrays. ------------------------------------------------------------------------------

/// Makes a Tuple of a list or a tuple that has one item of each of these types. `make` gets them.
template <typename Tuple, typename... Items, typename Make, std::size_t... Indices>
std::optional<Tuple> fixed_from(const subpy_value &value, Mismatch &mismatch, Make make,
                                std::index_sequence<Indices...>) {
  const subpy_items *const items = items_of(value);
  if (!items || items->length != sizeof...(Items)) {
    mismatch.note(value, "a list or tuple", sizeof...(Items));
    return std::nullopt;
  }
  std::tuple<std::optional<Items>...> found{from_python<Items>(items->data[Indices], mismatch)...};
  if (mismatch) {
    return std::nullopt;
  }
  return std::optional<Tuple>(make(std::move(*std::get<Indices>(found))...));
}

template <typename Tuple, typename... Items> struct TupleCrossing {
  static constexpr std::uint32_t flags = (0U | ... | flags_of<Items>);
  static constexpr bool borrows = (false || ... || detail::borrows<Items>);

  static subpy_value to_python(const Tuple &tuple, Builder &builder) {
    subpy_value *const items = builder.items(sizeof...(Items));
    std::size_t i = 0;
    std::apply(
        [&](const Items &...each) {
          ((items[i++] = detail::to_python<Items>(each, builder)), ...);
        },
        tuple);
    return subpy_tuple(items, i);
  }

  static std::optional<Tuple> from_python(const subpy_value &value, Mismatch &mismatch) {
    return fixed_from<Tuple, Items...>(
        value, mismatch, [](Items &&...each) { return Tuple(std::forward<Items>(each)...); },
        std::index_sequence_for<Items...>());
  }
};
template <typename... Items>
struct Crossing<std::tuple<Items...>> : TupleCrossing<std::tuple<Items...>, Items...> {};
template <typename First, typename Second>
struct Crossing<std::pair<First, Second>> : TupleCrossing<std::pair<First, Second>, First, Second> {
};

template <typename T, std::size_t Size> struct Crossing<std::array<T, Size>> {
  using Array = std::array<T, Size>;
  static constexpr std::uint32_t flags = flags_of<T>;
  static constexpr bool borrows = detail::borrows<T>;

  static subpy_value to_python(const Array &array, Builder &builder) {
    return list_of(array, builder);
  }

  static std::optional<Array> from_python(const subpy_value &value, Mismatch &mismatch) {
    return from(value, mismatch, std::make_index_sequence<Size>());
  }

private:
  template <std::size_t> using Item = T;

  template <std::size_t... Indices>
  static std::optional<Array> from(const subpy_value &value, Mismatch &mismatch,
                                   std::index_sequence<Indices...>) {
    return fixed_from<Array, Item<Indices>...>(
        value, mismatch, [](auto &&...each) { return Array{{std::move(each)...}}; },
        std::index_sequence<Indices...>());
  }
};

// Dicts. ------------------------------------------------------------------------------------------

template <typename Map> struct MapCrossing {
  using Key = typename Map::key_type;
  using Item = typename Map::mapped_type;
  static constexpr std::uint32_t flags = flags_of<Key> | flags_of<Item>;
  static constexpr bool borrows = detail::borrows<Key> || detail::borrows<Item>;

  static subpy_value to_python(const Map &map, Builder &builder) {
    subpy_value *const items = builder.items(2 * map.size());
    std::size_t i = 0;
    for (const auto &[key, item] : map) {
      items[i++] = detail::to_python<Key>(key, builder);
      items[i++] = detail::to_python<Item>(item, builder);
    }
    return subpy_dict(items, map.size());
  }

  static std::optional<Map> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind != SUBPY_DICT) {
      mismatch.note(value, "a dict");
      return std::nullopt;
    }
    std::optional<Map> map(std::in_place);
    for (std::size_t i = 0; i < value.as.items.length; i++) {
      const subpy_value *const pair = value.as.items.data + 2 * i;
      std::optional<Key> key = detail::from_python<Key>(pair[0], mismatch);
      std::optional<Item> item = detail::from_python<Item>(pair[1], mismatch);
      if (!key || !item) {
        return std::nullopt;
      }
      map->emplace(std::move(*key), std::move(*item));
    }
    return map;
  }
};
template <typename Key, typename T, typename Compare, typename Allocator>
struct Crossing<std::map<Key, T, Compare, Allocator>>
    : MapCrossing<std::map<Key, T, Compare, Allocator>> {};
template <typename Key, typename T, typename Hash, typename Equal, typename Allocator>
struct Crossing<std::unordered_map<Key, T, Hash, Equal, Allocator>>
    : MapCrossing<std::unordered_map<Key, T, Hash, Equal, Allocator>> {};

// Optionals and variants. -------------------------------------------------------------------------

template <typename T> struct Crossing<std::optional<T>> {
  static constexpr std::uint32_t flags = flags_of<T>;
  static constexpr bool borrows = detail::borrows<T>;

  static subpy_value to_python(const std::optional<T> &optional, Builder &builder) {
    return optional ? detail::to_python<T>(*optional, builder) : subpy_none();
  }

  static std::optional<std::optional<T>> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind == SUBPY_NONE) {
      return std::optional<std::optional<T>>(std::in_place);
    }
    std::optional<T> found = detail::from_python<T>(value, mismatch);
    return found ? std::optional<std::optional<T>>(std::move(found)) : std::nullopt;
  }
};

/// Whether a type of other numbers takes an int, too.
template <typename T> inline constexpr bool takes_ints = std::is_floating_point_v<T>;
template <typename T> inline constexpr bool takes_ints<std::complex<T>> = true;

template <typename... Types> struct Crossing<std::variant<Types...>> {
  using Variant = std::variant<Types...>;
  static constexpr std::uint32_t flags = (0U | ... | flags_of<Types>);
  static constexpr bool borrows = (false || ... || detail::borrows<Types>);

  static subpy_value to_python(const Variant &variant, Builder &builder) {
    return std::visit(
        [&](const auto &thing) {
          return detail::to_python<std::decay_t<decltype(thing)>>(thing, builder);
        },
        variant);
  }

  /// An int becomes a double or a complex number only if it fits no other type.
  static std::optional<Variant> from_python(const subpy_value &value, Mismatch &mismatch) {
    const bool integer = value.kind == SUBPY_INT;
    std::optional<Variant> found = first_of(value, !integer, std::index_sequence_for<Types...>());
    if (!found && integer) {
      found = first_of(value, true, std::index_sequence_for<Types...>());
    }
    if (!found) {
      mismatch.note(value, "of any type of the variant");
    }
    return found;
  }

private:
  template <std::size_t... Indices>
  static std::optional<Variant> first_of(const subpy_value &value, bool floats,
                                         std::index_sequence<Indices...>) {
    std::optional<Variant> found;
    (try_one<Indices>(value, floats, found) || ...);
    return found;
  }

  template <std::size_t Index>
  static bool try_one(const subpy_value &value, bool floats, std::optional<Variant> &found) {
    using Type = std::variant_alternative_t<Index, Variant>;
    if (takes_ints<Type> && !floats) {
      return false;
    }
    Mismatch ignored;
    if (std::optional<Type> one = detail::from_python<Type>(value, ignored)) {
      found.emplace(std::in_place_index<Index>, std::move(*one));
    }
    return found.has_value();
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
