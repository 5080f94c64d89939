/// @file
/// Views of values of any type.

#ifndef SUBPY_VIEW_HPP
#define SUBPY_VIEW_HPP

#include <subpy/crossing.hpp>
#include <subpy/crossing_containers.hpp>
#include <subpy/result.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

class Items;
class Pairs;

/// A view of a value that somebody else owns. It is cheap to copy. It is valid as long as the Value
/// that it views. A view of an argument is valid until the host function returns.
class View {
public:
  /// Makes a view of None.
  View() noexcept : value_(&none()) {}

  /// Makes a view of a C value, which has to outlive it.
  explicit View(const subpy_value &value) noexcept : value_(&value) {}

  /// The kind of the value.
  subpy_kind kind() const noexcept { return static_cast<subpy_kind>(value_->kind); }

  /// The name of the kind, as Python calls it: "list". The string is static.
  std::string_view kind_name() const noexcept { return subpy_kind_name(value_->kind); }

  /// Whether the value is None.
  bool is_none() const noexcept { return value_->kind == SUBPY_NONE; }

  /// Converts the value to a C++ type. A `std::string_view`, a Bytes or a Span is no copy. It is
  /// valid as long as what this views.
  ///
  /// @throws Error #SUBPY_ERR_NOT_SHAREABLE if the value is something else. The message says what
  ///         it is, and where.
  template <typename T> Returns<T> as() const {
    detail::Mismatch mismatch;
    std::optional<T> found = detail::from_python<T>(*value_, mismatch);
    if (!found) {
      SUBPY_FAIL(Error(SUBPY_ERR_NOT_SHAREABLE, mismatch.text(*value_, "value")));
    }
    return std::move(*found);
  }

  /// Converts the value as as() does. Empty if the value is something else.
  template <typename T> std::optional<T> get_if() const {
    detail::Mismatch ignored;
    return detail::from_python<T>(*value_, ignored);
  }

  /// The length of the value: the number of items of a tuple, a list or a set, of pairs of a dict, and
  /// of bytes of a str, of bytes, of a decimal or of a buffer. 0 for any other value.
  std::size_t size() const noexcept { return subpy_value_length(value_); }

  /// An item of a tuple, a list or a set, which has them in any order.
  ///
  /// @throws Error #SUBPY_ERR_NOT_FOUND past the end, and for any other value.
  Returns<View> operator[](std::size_t index) const {
    const subpy_value *const item = subpy_value_item(value_, index);
    if (!item) {
      SUBPY_FAIL(not_there("item " + std::to_string(index)));
    }
    return View(*item);
  }

  /// The value of a key of a dict that is this str.
  ///
  /// @throws Error #SUBPY_ERR_NOT_FOUND if there is no such key, and for any other value.
  Returns<View> operator[](std::string_view key) const {
    const std::optional<View> found = find(key);
    if (!found) {
      SUBPY_FAIL(not_there("key \"" + std::string(key) + '"'));
    }
    return *found;
  }

  /// The value of a key of a dict that is this str. Empty if there is no such key.
  std::optional<View> find(std::string_view key) const noexcept {
    for (std::size_t i = 0; value_->kind == SUBPY_DICT && i < value_->as.items.length; i++) {
      const subpy_value *const pair = value_->as.items.data + 2 * i;
      if (pair->kind == SUBPY_STR &&
          key == std::string_view(pair->as.text.data, pair->as.text.length)) {
        return View(pair[1]);
      }
    }
    return std::nullopt;
  }

  /// The items of a tuple, a list or a set, to iterate over. Empty for any other value.
  Items items() const noexcept;

  /// The pairs of a dict, to iterate over, in the dict's order. Empty for any other value.
  Pairs pairs() const noexcept;

  /// The C value, which this does not own.
  const subpy_value &c() const noexcept { return *value_; }

private:
  static const subpy_value &none() noexcept {
    static const subpy_value none = subpy_none();
    return none;
  }

  Error not_there(const std::string &what) const {
    std::string text = "there is no " + what + " in " + subpy_kind_name(value_->kind);
    if (size() > 0) {
      text += ", which has " + std::to_string(size());
    }
    return Error(SUBPY_ERR_NOT_FOUND, text);
  }

  const subpy_value *value_;
};

namespace detail {

/// An iterator over C values. `Step` of them make one Thing.
template <typename Thing, std::size_t Step> class ViewIterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = Thing;
  using difference_type = std::ptrdiff_t;
  using pointer = const Thing *;
  using reference = Thing;

  explicit ViewIterator(const subpy_value *at = nullptr) noexcept : at_(at) {}
  Thing operator*() const noexcept {
    if constexpr (Step == 1) {
      return View(*at_);
    } else {
      return {View(at_[0]), View(at_[1])};
    }
  }
  ViewIterator &operator++() noexcept {
    at_ += Step;
    return *this;
  }
  ViewIterator operator++(int) noexcept {
    ViewIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const ViewIterator &other) const noexcept { return at_ == other.at_; }
  bool operator!=(const ViewIterator &other) const noexcept { return at_ != other.at_; }

private:
  const subpy_value *at_;
};

} // namespace detail

/// The items of a tuple, a list or a set, valid as long as what the View views.
class Items {
public:
  /// An iterator over the items.
  using iterator = detail::ViewIterator<View, 1>;

  /// Makes items of C values, which have to outlive them.
  Items(const subpy_value *data, std::size_t size) noexcept : data_(data), size_(size) {}

  /// The number of items.
  std::size_t size() const noexcept { return size_; }
  /// An item. The index has to be less than size().
  View operator[](std::size_t index) const noexcept { return View(data_[index]); }
  /// An iterator to the first item.
  iterator begin() const noexcept { return iterator(data_); }
  /// An iterator past the last item.
  iterator end() const noexcept { return iterator(data_ + size_); }

private:
  const subpy_value *data_;
  std::size_t size_;
};

/// The pairs of a dict, valid as long as what the View views.
class Pairs {
public:
  /// An iterator over the pairs: `for (const auto &[key, value] : pairs)`.
  using iterator = detail::ViewIterator<std::pair<View, View>, 2>;

  /// Makes pairs of C values, which have to outlive them: `size` times a key and a value.
  Pairs(const subpy_value *data, std::size_t size) noexcept : data_(data), size_(size) {}

  /// The number of pairs.
  std::size_t size() const noexcept { return size_; }
  /// An iterator to the first pair.
  iterator begin() const noexcept { return iterator(data_); }
  /// An iterator past the last pair.
  iterator end() const noexcept { return iterator(data_ + 2 * size_); }

private:
  const subpy_value *data_;
  std::size_t size_;
};

inline View Error::args() const noexcept {
  const subpy_value *const args = subpy_error_args(c());
  return args ? View(*args) : View();
}

inline Items View::items() const noexcept {
  const subpy_value *const first = subpy_value_item(value_, 0);
  return Items(first, first ? value_->as.items.length : 0);
}

inline Pairs View::pairs() const noexcept {
  return value_->kind == SUBPY_DICT ? Pairs(value_->as.items.data, value_->as.items.length)
                                    : Pairs(nullptr, 0);
}

namespace detail {

/// A view crosses as the value that it views. Any value can be a view.
template <> struct Crossing<View> {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = true;

  static subpy_value to_python(View view, Builder &) {
    subpy_value value = view.c();
    value.owned = 0;
    return value;
  }

  static std::optional<View> from_python(const subpy_value &value, Mismatch &) {
    return View(value);
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
