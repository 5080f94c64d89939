/// @file
/// Memory of Python objects in the host's hands.

#ifndef SUBPY_PINNED_BUFFER_HPP
#define SUBPY_PINNED_BUFFER_HPP

#include <subpy/buffer_format.hpp>
#include <subpy/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// The memory of a Python object that has the buffer protocol (bytes, bytearray, array.array, an
/// array of numpy): without a copy, and pinned, so that it stays in place as long as this lives.
/// Until then its interpreter can't be destroyed. Move-only.
///
/// @code
/// auto samples = python.get<subpy::PinnedBuffer>("samples");
/// for (double sample : samples.as<const double>()) { ... }
/// @endcode
///
/// It can be handed on to Python: in its own interpreter as the object, in others as a view of it.
class PinnedBuffer {
public:
  /// Takes over what a C call has written, if that is a buffer.
  ///
  /// @throws Error #SUBPY_ERR_NOT_SHAREABLE if it isn't; the place is as it was.
  static Returns<PinnedBuffer> take(subpy_value &place) {
    if (place.kind != SUBPY_BUFFER) {
      detail::Mismatch mismatch;
      mismatch.note(place, "an object with the buffer protocol");
      SUBPY_FAIL(Error(SUBPY_ERR_NOT_SHAREABLE, mismatch.text(place, "result")));
    }
    return PinnedBuffer(std::exchange(place, subpy_none()));
  }

  /// Takes the memory of `other`, which has none afterwards.
  PinnedBuffer(PinnedBuffer &&other) noexcept : value_(std::exchange(other.value_, subpy_none())) {}

  /// Lets go of the own memory, and takes that of `other`.
  PinnedBuffer &operator=(PinnedBuffer &&other) noexcept {
    PinnedBuffer taken(std::move(other));
    std::swap(value_, taken.value_);
    return *this;
  }

  /// Lets go of the memory. That waits for the interpreter's GIL, also while it runs.
  ~PinnedBuffer() { subpy_value_clear(&value_); }

  /// Lets go of the memory; this object has none then.
  void reset() noexcept { subpy_value_clear(&value_); }

  /// Whether there is memory: not after reset(), nor in an object that was moved from.
  explicit operator bool() const noexcept { return value_.kind == SUBPY_BUFFER; }

  /// Its size in bytes.
  std::size_t size() const noexcept { return info().length; }

  /// Whether it may be written to.
  bool writable() const noexcept { return info().writable != 0; }

  /// What an item is, as Python's `struct` module has it: "d", "<i4".
  std::string_view format() const noexcept { return info().format ? info().format : "B"; }

  /// The size of an item in bytes.
  std::size_t item_size() const noexcept { return info().item_size; }

  /// How many items each dimension has.
  Span<const std::ptrdiff_t> shape() const noexcept { return {info().shape, info().dimensions}; }

  /// How many bytes lie between the items of each dimension; empty if they are in C's order without
  /// gaps. Others are only had by asking for #SUBPY_STRIDED.
  Span<const std::ptrdiff_t> strides() const noexcept {
    return {info().strides, info().strides ? info().dimensions : 0};
  }

  /// All items, whatever the shape: `as<const double>()` to read, `as<double>()` to write.
  ///
  /// @throws Error #SUBPY_ERR_NOT_SHAREABLE if they are something else, have gaps, or can't be
  ///         written to.
  template <typename T> Returns<Span<T>> as() const { return View(value_).as<Span<T>>(); }

  /// All bytes.
  ///
  /// @throws Error #SUBPY_ERR_NOT_SHAREABLE if they have gaps.
  Returns<Bytes> bytes() const { return View(value_).as<Bytes>(); }

  /// The description, as C has it, of ::subpy_buffer_info.
  const subpy_buffer_info &info() const noexcept {
    static const subpy_buffer_info none = SUBPY_BUFFER_INFO_INIT;
    return *this ? *value_.as.buffer : none;
  }

  /// The C value, which belongs to this.
  const subpy_value &c() const noexcept { return value_; }

private:
  explicit PinnedBuffer(const subpy_value &value) noexcept : value_(value) {}

  subpy_value value_;
};

namespace detail {

/// From Python, only as a whole result: see take().
template <> struct Crossing<PinnedBuffer> {
  static constexpr std::uint32_t flags = SUBPY_PIN_BYTES;
  static constexpr bool borrows = false;

  static subpy_value to_python(const PinnedBuffer &buffer, Builder &builder) {
    return Crossing<View>::to_python(View(buffer.c()), builder);
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
