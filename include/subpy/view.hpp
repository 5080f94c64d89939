/// @file
/// A look at values whose types are known when the program runs.

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

/// A look at a value of somebody else's, or at a part of it; cheap to copy. It is valid as long as
/// what it looks at: a Value, or the call of a host function that it is an argument of.
class View {
public:
  /// Of None.
  View() noexcept : value_(&none()) {}

  /// Of a C value, which has to outlive it.
  explicit View(const subpy_value &value) noexcept : value_(&value) {}

  /// What it is.
  subpy_kind kind() const noexcept { return static_cast<subpy_kind>(value_->kind); }

  /// The same, as Python calls it: "list". Static.
  std::string_view kind_name() const noexcept { return subpy_kind_name(value_->kind); }

  /// Whether it is None.
  bool is_none() const noexcept { return value_->kind == SUBPY_NONE; }

  /// It, as a C++ type. Text and memory are not copied for a `std::string_view`, a Bytes or a Span,
  /// which are valid as long as what this looks at.
  ///
  /// @throws Error #SUBPY_ERR_NOT_SHAREABLE if it is something else; the message says where, and
  ///         what.
  template <typename T> Returns<T> as() const {
    detail::Mismatch mismatch;
    std::optional<T> found = detail::from_python<T>(*value_, mismatch);
    if (!found) {
      SUBPY_FAIL(Error(SUBPY_ERR_NOT_SHAREABLE, mismatch.text(*value_, "value")));
    }
    return std::move(*found);
  }

  /// As as(), but nothing if it is something else.
  template <typename T> std::optional<T> get_if() const {
    detail::Mismatch ignored;
    return detail::from_python<T>(*value_, ignored);
  }

  /// How many items a list or tuple has, pairs a dict, bytes a str, bytes or a buffer. 0 for
  /// anything else.
  std::size_t size() const noexcept { return subpy_value_length(value_); }

  /// An item of a list or tuple.
  ///
  /// @throws Error #SUBPY_ERR_NOT_FOUND past the end, and for anything else than a list or tuple.
  Returns<View> operator[](std::size_t index) const {
    const subpy_value *const item = subpy_value_item(value_, index);
    if (!item) {
      SUBPY_FAIL(not_there("item " + std::to_string(index)));
    }
    return View(*item);
  }

  /// The value of a dict's key that is a str.
  ///
  /// @throws Error #SUBPY_ERR_NOT_FOUND if there is none, and for anything else than a dict.
  Returns<View> operator[](std::string_view key) const {
    const std::optional<View> found = find(key);
    if (!found) {
      SUBPY_FAIL(not_there("key \"" + std::string(key) + '"'));
    }
    return *found;
  }

  /// The same; nothing if there is none.
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

  /// The items of a list or tuple, to go through; none for anything else.
  Items items() const noexcept;

  /// The pairs of a dict, in its order, to go through; none for anything else.
  Pairs pairs() const noexcept;

  /// The C value, which belongs to what this looks at.
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

/// Goes through values; `Step` of them are one thing.
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

/// The items of a list or tuple.
class Items {
public:
  /// Goes through them.
  using iterator = detail::ViewIterator<View, 1>;

  /// Of C values, which have to outlive it.
  Items(const subpy_value *data, std::size_t size) noexcept : data_(data), size_(size) {}

  /// How many there are.
  std::size_t size() const noexcept { return size_; }
  /// One of those that there are.
  View operator[](std::size_t index) const noexcept { return View(data_[index]); }
  /// The first one.
  iterator begin() const noexcept { return iterator(data_); }
  /// Past the last one.
  iterator end() const noexcept { return iterator(data_ + size_); }

private:
  const subpy_value *data_;
  std::size_t size_;
};

/// The pairs of a dict.
class Pairs {
public:
  /// Goes through them: `for (const auto &[key, value] : pairs)`.
  using iterator = detail::ViewIterator<std::pair<View, View>, 2>;

  /// Of C values, which have to outlive it: `size` times a key and a value.
  Pairs(const subpy_value *data, std::size_t size) noexcept : data_(data), size_(size) {}

  /// How many there are.
  std::size_t size() const noexcept { return size_; }
  /// The first one.
  iterator begin() const noexcept { return iterator(data_); }
  /// Past the last one.
  iterator end() const noexcept { return iterator(data_ + 2 * size_); }

private:
  const subpy_value *data_;
  std::size_t size_;
};

inline Items View::items() const noexcept {
  const subpy_items *const items = detail::items_of(*value_);
  return items ? Items(items->data, items->length) : Items(nullptr, 0);
}

inline Pairs View::pairs() const noexcept {
  return value_->kind == SUBPY_DICT ? Pairs(value_->as.items.data, value_->as.items.length)
                                    : Pairs(nullptr, 0);
}

namespace detail {

/// As it is, to Python; from Python, whatever it is.
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
