/// @file
/// Threads that stay in an interpreter.

#ifndef SUBPY_ENTERED_HPP
#define SUBPY_ENTERED_HPP

#include <subpy/result.hpp>

#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// The calling thread stays in an interpreter until this is destroyed: Interpreter::enter() makes one. It belongs to that thread.
/// Those of several interpreters are to be destroyed in the reverse order, as local variables are; the elements of a container
/// are not. One that can't leave since a later one has not left leaves its interpreter entered.
///
/// @code
/// const subpy::Entered inside = python.enter();
/// for (const Event &event : events) {
///   handler(event.name);
/// }
/// @endcode
class Entered {
public:
  /// The calling thread has entered the interpreter of this id by subpy_enter().
  explicit Entered(subpy_id id) noexcept : id_(id) {}

  /// Leaves in the place of `other`.
  Entered(Entered &&other) noexcept : id_(std::exchange(other.id_, NONE)) {}
  /// Swaps the two.
  Entered &operator=(Entered &&other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  Entered(const Entered &) = delete;
  Entered &operator=(const Entered &) = delete;

  /// Leaves, unless leave() has.
  ~Entered() {
    if (id_ != NONE) {
      subpy_leave(id_, nullptr);
    }
  }

  /// Leaves now.
  ///
  /// @throws Error as subpy_leave(): #SUBPY_ERR_BUSY if the thread has entered another interpreter since, and not left that.
  ///         This object leaves later then.
  Returns<void> leave() {
    if (id_ != NONE) {
      SUBPY_TRY(detail::call(subpy_leave, id_));
      id_ = NONE;
    }
    return Returns<void>();
  }

private:
  static constexpr subpy_id NONE = -1;

  subpy_id id_;
};

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
