/// @file
/// Objects that stay in Python.

#ifndef SUBPY_OBJECT_HPP
#define SUBPY_OBJECT_HPP

#include <subpy/arguments.hpp>
#include <subpy/c_string.hpp>
#include <subpy/value.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {
class ObjectIterator;
}

/// A reference to an object that stays in Python: a callable, an instance, a module, an iterator. Copies stand for the same
/// object. It does not keep its interpreter from being destroyed: calls are #SUBPY_ERR_NOT_FOUND then.
///
/// @code
/// python.define("host", "on", [&](std::string event, subpy::Object function) {
///   handlers[event].push_back(function);
/// });
/// python.run("import host\nhost.on('save', lambda name: print(name))");
/// for (const subpy::Object &handler : handlers["save"]) {
///   handler("notes.txt");
/// }
/// @endcode
///
/// Any thread may copy and destroy it, at any time, and nobody waits for that. Calls are made as those of its Interpreter,
/// and what a callback for output throws meanwhile comes out of the next call of the Interpreter.
class Object {
public:
  /// Makes one that stands for nothing.
  Object() noexcept = default;

  /// Takes over a reference of C's.
  explicit Object(subpy_object object) noexcept : object_(object) {}

  /// Stands for the same object.
  Object(const Object &other) noexcept : object_(subpy_object_retain(other.object_)) {}
  /// Takes the reference of `other`, which stands for nothing afterwards.
  Object(Object &&other) noexcept : object_(std::exchange(other.object_, 0)) {}
  /// Stands for the object of `other`.
  Object &operator=(Object other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  /// Gives the reference back.
  ~Object() { subpy_object_release(object_); }

  /// Whether it stands for something. That may be gone.
  explicit operator bool() const noexcept { return object_ != 0; }

  /// The handle. This object keeps it.
  subpy_object c() const noexcept { return object_; }

  /// The interpreter that it is in; -1 if it is gone.
  subpy_id interpreter() const noexcept { return subpy_object_interpreter(object_); }

  /// Calls it: `object.call<int>(1, "two", subpy::kw("three", 3))`.
  ///
  /// @tparam T What the result becomes. void: it is thrown away.
  /// @throws Error as subpy_object_call_with(): #SUBPY_ERR_NOT_FOUND if it is gone; #SUBPY_ERR_NOT_SHAREABLE also if the
  ///         result is no T.
  template <typename T = Value, typename... Args> Returns<T> call(const Args &...args) const {
    return call_with_flags<T>(detail::flags_of<T>, args...);
  }

  /// Calls it. What is no plain data comes back as an Object in the Value.
  ///
  /// @throws Error as call().
  template <typename... Args> Returns<Value> operator()(const Args &...args) const {
    return call_with_flags<Value>(SUBPY_KEEP_OBJECTS, args...);
  }

  /// Calls a method of it, with positional arguments.
  ///
  /// @tparam T What the result becomes. void: it is thrown away.
  /// @throws Error as subpy_object_call_method(), and #SUBPY_ERR_NOT_SHAREABLE if the result is no T.
  template <typename T = Value, typename... Args>
  Returns<T> call_method(CString name, const Args &...args) const {
    SUBPY_TRY(name.check());
    const detail::Arguments<Args...> arguments(args...);
    static_assert(!arguments.any_named,
                  "subpy: a method takes no subpy::kw() here: call its attribute");
    return give<T>([&](subpy_value *out, subpy_error **error) {
      return subpy_object_call_method(object_, name.get(), arguments.data(), arguments.size(), out,
                                      error);
    });
  }

  /// Reads an attribute: `object.attr<int>("size")`.
  ///
  /// @throws Error as subpy_object_get(), and #SUBPY_ERR_NOT_SHAREABLE if the value is no T.
  template <typename T = Value> Returns<T> attr(CString name) const {
    SUBPY_TRY(name.check());
    return give<T>([&](subpy_value *out, subpy_error **error) {
      return subpy_object_get(object_, name.get(), out, error);
    });
  }

  /// Sets an attribute.
  ///
  /// @throws Error as subpy_object_set().
  template <typename T> Returns<void> set_attr(CString name, const T &value) const {
    SUBPY_TRY(name.check());
    const detail::Arguments<T> argument(value);
    return detail::call(subpy_object_set, object_, name.get(), argument.data());
  }

  /// Reads what it has at a key or an index.
  ///
  /// @throws Error as subpy_object_item(), and #SUBPY_ERR_NOT_SHAREABLE if the value is no T.
  template <typename T = Value, typename Key> Returns<T> item(const Key &key) const {
    const detail::Arguments<Key> argument(key);
    return give<T>([&](subpy_value *out, subpy_error **error) {
      return subpy_object_item(object_, argument.data(), out, error);
    });
  }

  /// Reads what it has at a key or an index.
  ///
  /// @throws Error as item().
  template <typename Key> Returns<Value> operator[](const Key &key) const { return item(key); }

  /// The next item of an iterator. `nullopt`: there is none any more.
  ///
  /// @throws Error as subpy_object_next().
  Returns<std::optional<Value>> next() const {
    detail::OwnedValue item;
    bool done = false;
    SUBPY_TRY(detail::call(subpy_object_next, object_, item.place(), &done));
    if (done) {
      return std::optional<Value>();
    }
    return std::optional<Value>(Value::take(*item.place()));
  }

  /// What it is, as plain data.
  ///
  /// @throws Error as subpy_object_value(), and #SUBPY_ERR_NOT_SHAREABLE if the value is no T.
  template <typename T = Value> Returns<T> value() const {
    return give<T>([&](subpy_value *out, subpy_error **error) {
      return subpy_object_value(object_, detail::flags_of<T>, out, error);
    });
  }

  /// Its `str()`.
  ///
  /// @throws Error as subpy_object_text().
  Returns<std::string> text() const {
    return give<std::string>([&](subpy_value *out, subpy_error **error) {
      return subpy_object_text(object_, out, error);
    });
  }

  /// Runs it, if it is code of Interpreter::compile().
  ///
  /// @throws Error as subpy_object_run().
  Returns<void> run() const { return detail::call(subpy_object_run, object_); }

#if SUBPY_EXCEPTIONS
  /// Goes over its items, as Python's `for` does: `for (const subpy::Value &item : object)`.
  ///
  /// @throws Error if it is no iterable, and what its iterator raises.
  detail::ObjectIterator begin() const;
  /// The end of each.
  detail::ObjectIterator end() const noexcept;
#endif

private:
  template <typename T, typename... Args>
  Returns<T> call_with_flags(std::uint32_t flags, const Args &...args) const {
    const detail::Arguments<Args...> arguments(args...);
    return give<T>([&](subpy_value *out, subpy_error **error) {
      const subpy_value *const keywords = arguments.keywords();
      if (flags == 0 && !keywords) {
        return subpy_object_call(object_, arguments.data(), arguments.size(), out, error);
      }
      subpy_call_options c = SUBPY_CALL_OPTIONS_INIT;
      c.flags = flags;
      c.keywords = keywords;
      return subpy_object_call_with(object_, &c, arguments.data(), arguments.size(), out, error);
    });
  }

  /// Makes a C call that has a result.
  template <typename T, typename Call> static Returns<T> give(Call call) {
    subpy_error *error = nullptr;
    if constexpr (std::is_void_v<T>) {
      const subpy_status status = call(nullptr, &error);
      return detail::check(status, error);
    } else {
      detail::OwnedValue result;
      const subpy_status status = call(result.place(), &error);
      SUBPY_TRY(detail::check(status, error));
      return result.template to<T>();
    }
  }

  subpy_object object_ = 0;
};

#if SUBPY_EXCEPTIONS
namespace detail {

/// An iterator over the items of an Object.
class ObjectIterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  using pointer = const Value *;
  using reference = const Value &;

  /// The end of each.
  ObjectIterator() = default;
  /// At the first item of an iterator of Python's.
  explicit ObjectIterator(Object iterator) : iterator_(std::move(iterator)) { ++*this; }

  reference operator*() const noexcept { return *item_; }
  pointer operator->() const noexcept { return &*item_; }
  ObjectIterator &operator++() {
    item_ = iterator_.next();
    return *this;
  }
  bool operator==(const ObjectIterator &other) const noexcept {
    return item_.has_value() == other.item_.has_value();
  }
  bool operator!=(const ObjectIterator &other) const noexcept { return !(*this == other); }

private:
  Object iterator_;
  std::optional<Value> item_;
};

} // namespace detail

inline detail::ObjectIterator Object::begin() const {
  return detail::ObjectIterator(call_method<Object>("__iter__"));
}
inline detail::ObjectIterator Object::end() const noexcept { return {}; }
#endif

namespace detail {

template <> struct Crossing<Object> {
  static constexpr std::uint32_t flags = SUBPY_KEEP_OBJECTS;
  static constexpr bool borrows = false;

  static subpy_value to_python(const Object &object, Builder &) {
    return subpy_from_object(object.c());
  }

  static std::optional<Object> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind != SUBPY_OBJECT) {
      mismatch.note(value, "an Object");
      return std::nullopt;
    }
    return Object(subpy_object_retain(subpy_value_object(&value)));
  }
};

#if SUBPY_EXCEPTIONS
/// A callable, as a function: it throws what Object::call() throws.
template <typename Return, typename... Args> struct Crossing<std::function<Return(Args...)>> {
  static constexpr std::uint32_t flags = SUBPY_KEEP_OBJECTS;
  static constexpr bool borrows = false;

  static std::optional<std::function<Return(Args...)>> from_python(const subpy_value &value,
                                                                   Mismatch &mismatch) {
    std::optional<Object> object = Crossing<Object>::from_python(value, mismatch);
    if (!object) {
      return std::nullopt;
    }
    return [object = std::move(*object)](Args... args) {
      return object.template call<Return>(args...);
    };
  }
};
#endif

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
