/// @file
/// Values of any type that crosses.

#ifndef SUBPY_VALUE_HPP
#define SUBPY_VALUE_HPP

#include <subpy/buffer_format.hpp>
#include <subpy/view.hpp>

#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

template <typename T> struct CrossesTo : std::bool_constant<crosses_to<T>> {};

/// Whether a T crosses to Python, and is another type than `Self`, whose Crossing comes later.
template <typename T, typename Self>
struct is_other : std::conjunction<std::negation<std::is_same<T, Self>>, CrossesTo<T>> {};

} // namespace detail

/// A value of any type that crosses. It owns all that is in it, and never changes. Copies share it.
/// It is plain data: any thread may read it, also after the interpreter is destroyed and after
/// Python is finalized. An Object in it stands for nothing then.
///
/// A value from Python may have buffers. As long as it or a copy of it lives, their memory stays in
/// place, and the interpreter can't be destroyed.
class Value {
public:
  /// Makes None.
  Value() noexcept = default;

  /// Makes a copy of anything that crosses to Python: `Value(3)`, `Value("text")`, `Value(vector)`.
  /// The memory of a buffer is copied, too. It becomes bytes, the items in C's order without gaps.
  template <typename T, typename = std::enable_if_t<detail::is_other<T, Value>::value>>
  Value(const T &thing) {
    detail::Builder builder;
    copy(detail::to_python<T>(thing, builder));
  }

  /// Makes a list of values of any types: `Value::list({1, "two", 3.0})`.
  static Value list(std::initializer_list<Value> items) { return of_items(subpy_list, items); }

  /// Makes a tuple of values of any types.
  static Value tuple(std::initializer_list<Value> items) { return of_items(subpy_tuple, items); }

  /// Makes a set of values of any types. They have to be hashable for Python.
  static Value set(std::initializer_list<Value> items) { return of_items(subpy_set_of, items); }

  /// Makes a dict of values of any types: `Value::dict({{"kind", "key"}, {"code", 27}})`.
  static Value dict(std::initializer_list<std::pair<Value, Value>> pairs) {
    std::vector<subpy_value> values;
    for (const auto &[key, value] : pairs) {
      values.push_back(key.c());
      values.push_back(value.c());
    }
    Value value;
    value.copy(subpy_dict(values.data(), pairs.size()));
    return value;
  }

  /// Takes the value that a C call has written. The place has None then.
  static Value take(subpy_value &place) {
    Value value;
    auto owner = std::make_shared<Given>();
    owner->value = std::exchange(place, subpy_none());
    value.value_ = std::shared_ptr<const subpy_value>(owner, &owner->value);
    return value;
  }

  /// A view of the value, valid as long as this value or a copy of it.
  View view() const noexcept { return value_ ? View(*value_) : View(); }
  /// See View::kind().
  subpy_kind kind() const noexcept { return view().kind(); }
  /// See View::kind_name().
  std::string_view kind_name() const noexcept { return view().kind_name(); }
  /// See View::is_none().
  bool is_none() const noexcept { return view().is_none(); }
  /// See View::as(). A type that does not own is valid as long as this value or a copy of it.
  template <typename T> Returns<T> as() const & { return view().as<T>(); }
  /// See View::as(). The value is temporary, so the type has to own what it has.
  template <typename T> Returns<T> as() const && {
    static_assert(!detail::borrows<T>, "subpy: the value that this would look at is gone at once: "
                                       "keep the subpy::Value, or ask for a type that owns");
    return view().as<T>();
  }
  /// See View::get_if().
  template <typename T> std::optional<T> get_if() const { return view().get_if<T>(); }
  /// See View::size().
  std::size_t size() const noexcept { return view().size(); }
  /// See View::operator[](std::size_t) const. It is valid as long as this value or a copy of it.
  Returns<View> operator[](std::size_t index) const { return view()[index]; }
  /// See View::operator[](std::string_view) const. It is valid as long as this value or a copy.
  Returns<View> operator[](std::string_view key) const { return view()[key]; }
  /// See View::find().
  std::optional<View> find(std::string_view key) const noexcept { return view().find(key); }
  /// See View::items(). They are valid as long as this value or a copy of it.
  Items items() const & noexcept { return view().items(); }
  /// The items of a temporary value would be gone before they are used.
  Items items() const && = delete;
  /// See View::pairs(). They are valid as long as this value or a copy of it.
  Pairs pairs() const & noexcept { return view().pairs(); }
  /// The pairs of a temporary value would be gone before they are used.
  Pairs pairs() const && = delete;
  /// The C value. This object owns it.
  const subpy_value &c() const noexcept { return view().c(); }

private:
  /// A value that the library has handed out.
  struct Given {
    subpy_value value = subpy_none();
    Given() = default;
    Given(const Given &) = delete;
    Given &operator=(const Given &) = delete;
    ~Given() { subpy_value_clear(&value); }
  };

  /// A value that the host has made, with the items and the text that it points to.
  struct Copied {
    subpy_value value = subpy_none();
    std::vector<std::unique_ptr<subpy_value[]>> items;
    std::vector<std::unique_ptr<char[]>> texts;
    std::vector<std::shared_ptr<subpy_queue>> queues;
    std::vector<subpy_object> objects;

    Copied() = default;
    Copied(const Copied &) = delete;
    Copied &operator=(const Copied &) = delete;
    ~Copied() {
      for (const subpy_object object : objects) {
        subpy_object_release(object);
      }
    }

    subpy_value copy(const subpy_value &from) {
      subpy_value to = from;
      to.owned = 0;
      switch (from.kind) {
      case SUBPY_STR:
      case SUBPY_BYTES:
      case SUBPY_BIG_INT:
      case SUBPY_WTF8:
      case SUBPY_DECIMAL:
        to.as.text.data = text(from.as.text.data, from.as.text.length);
        break;
      case SUBPY_TUPLE:
      case SUBPY_LIST:
      case SUBPY_SET:
      case SUBPY_FROZENSET:
        to.as.items.data = copies(from.as.items.data, from.as.items.length);
        break;
      case SUBPY_DICT:
        to.as.items.data = copies(from.as.items.data, 2 * from.as.items.length);
        break;
      case SUBPY_BUFFER: {
        const subpy_buffer_info &info = *from.as.buffer;
        const char *const data = static_cast<const char *>(info.data);
        if (!info.strides) {
          return subpy_bytes(text(data, info.length), info.length);
        }
        char *const room = texts.emplace_back(std::make_unique<char[]>(info.length + 1)).get();
        gather(room, info, 0, data);
        return subpy_bytes(room, info.length);
      }
      case SUBPY_QUEUE:
        queues.emplace_back(subpy_queue_retain(from.as.queue), subpy_queue_free);
        break;
      case SUBPY_OBJECT:
        objects.push_back(from.as.object);
        subpy_object_retain(from.as.object);
        break;
      default:
        break;
      }
      return to;
    }

    const subpy_value *copies(const subpy_value *from, std::size_t count) {
      subpy_value *const room = items.emplace_back(std::make_unique<subpy_value[]>(count)).get();
      for (std::size_t i = 0; i < count; i++) {
        room[i] = copy(from[i]);
      }
      return room;
    }

    const char *text(const char *from, std::size_t length) {
      char *const room = texts.emplace_back(std::make_unique<char[]>(length + 1)).get();
      if (length > 0) {
        std::memcpy(room, from, length);
      }
      return room;
    }

    /// Copies the items of a buffer with gaps, from a dimension on. Returns the end of the copy.
    static char *gather(char *to, const subpy_buffer_info &info, std::size_t dimension,
                        const char *from) {
      if (dimension == info.dimensions) {
        std::memcpy(to, from, info.item_size);
        return to + info.item_size;
      }
      for (std::ptrdiff_t i = 0; i < info.shape[dimension]; i++) {
        to = gather(to, info, dimension + 1, from + i * info.strides[dimension]);
      }
      return to;
    }
  };

  void copy(const subpy_value &from) {
    auto owner = std::make_shared<Copied>();
    owner->value = owner->copy(from);
    value_ = std::shared_ptr<const subpy_value>(owner, &owner->value);
  }

  static Value of_items(subpy_value (*make)(const subpy_value *, std::size_t),
                        std::initializer_list<Value> items) {
    std::vector<subpy_value> values;
    for (const Value &item : items) {
      values.push_back(item.c());
    }
    Value value;
    value.copy(make(values.data(), values.size()));
    return value;
  }

  std::shared_ptr<const subpy_value> value_;
};

namespace detail {

/// As a part of another value from Python, a Value is a copy.
template <> struct Crossing<Value> {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(const Value &value, Builder &builder) {
    return Crossing<View>::to_python(value.view(), builder);
  }

  static std::optional<Value> from_python(const subpy_value &value, Mismatch &) {
    return Value(View(value));
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
