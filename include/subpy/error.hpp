/// @file
/// Why a call failed.

#ifndef SUBPY_ERROR_HPP
#define SUBPY_ERROR_HPP

#include <subpy.h>
#include <subpy/exceptions.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

class View;

/// A place in a program, of an exception: see subpy_frame. What is not known is 0, or empty. Lines and columns count from 1
/// on; columns count characters. It is valid as long as the Error that it came from or a copy of it.
struct Frame {
  /// The file, as the code was compiled with it.
  std::string_view file;
  /// The function, as a traceback names it; "<module>" outside of all. Empty: the place of a SyntaxError.
  std::string_view function;
  /// The line.
  std::uint32_t line;
  /// Where the expression that was evaluated starts in that line.
  std::uint32_t column;
  /// The line that the expression ends in.
  std::uint32_t end_line;
  /// The column behind its last character.
  std::uint32_t end_column;
  /// The text of the line, without its end.
  std::string_view source;
};

/// Why a call failed. It is plain data: any thread may read it, also after the interpreter is
/// destroyed and after Python is finalized. Copies share it, and copying does not throw.
class Error : public std::exception {
public:
  /// Takes over the error of a C call.
  ///
  /// @param error Not NULL. It is freed with the last copy, and also if this throws `std::bad_alloc`.
  explicit Error(subpy_error *error) : data_(std::make_shared<const Data>(Handle(error))) {}

  /// Makes an error of the host's own.
  ///
  /// @param status  Any but #SUBPY_OK.
  /// @param message What went wrong, in words for a human.
  /// @param type    With #SUBPY_ERR_EXCEPTION: the type of the Python exception that the error
  ///                stands for, such as "ValueError" or "package.module.Oops". Else empty.
  Error(subpy_status status, std::string_view message, std::string_view type = {})
      : data_(std::make_shared<const Data>(status, message, type)) {}

  /// The status that the failed call returned.
  subpy_status status() const noexcept { return data_->status; }

  /// What went wrong, in words for a human. Of an exception, it is what `str()` makes of it.
  /// It is valid as long as this error or a copy of it.
  std::string_view message() const noexcept { return data_->message; }

  /// The exception's type, as a traceback names it: "ValueError", "package.module.Oops". Empty if
  /// the error is no exception. It is valid as long as this error or a copy of it.
  std::string_view type() const noexcept { return data_->type; }

  /// The traceback as Python prints it: see subpy_error_traceback(). Each line ends in "\n". Empty
  /// if there is none. It is valid as long as this error or a copy of it.
  std::string_view traceback() const noexcept { return data_->traceback; }

  /// Where the exception was raised, the outermost frame first. There are 256 at most: see subpy_error_frame_count(). Empty
  /// if the error is no exception.
  std::vector<Frame> frames() const {
    std::vector<Frame> frames;
    frames.reserve(subpy_error_frame_count(c()));
    while (const subpy_frame *const f = subpy_error_frame(c(), frames.size())) {
      frames.push_back(
          {f->file, f->function, f->line, f->column, f->end_line, f->end_column, f->source});
    }
    return frames;
  }

  /// How many frames are left out, in the middle: see subpy_error_frames_left_out().
  std::size_t frames_left_out() const noexcept { return subpy_error_frames_left_out(c()); }

  /// The exception that the exception was raised from, if there is one: `raise ... from cause`.
  std::optional<Error> cause() const { return other(subpy_error_cause(c())); }

  /// The exception that was being handled when the exception was raised, if a traceback shows it.
  std::optional<Error> context() const { return other(subpy_error_context(c())); }

  /// The exceptions of an exception group. Empty if the error is none.
  std::vector<Error> group() const {
    std::vector<Error> group;
    group.reserve(subpy_error_group_count(c()));
    while (const subpy_error *const error = subpy_error_group_item(c(), group.size())) {
      group.push_back(Error(data_, error));
    }
    return group;
  }

  /// The notes of the exception: what its `add_note()` was given. They are valid as long as this error or a copy of it.
  std::vector<std::string_view> notes() const {
    std::vector<std::string_view> notes;
    notes.reserve(subpy_error_note_count(c()));
    while (const char *const note = subpy_error_note(c(), notes.size())) {
      notes.emplace_back(note);
    }
    return notes;
  }

  /// What the exception was made with, a tuple: see subpy_error_args(). A view of None if the error is no exception. It is
  /// valid as long as this error or a copy of it.
  View args() const noexcept;

  /// The exit code of a #SUBPY_ERR_EXIT, as a shell would see it: 0 to 255. Of a #SUBPY_ERR_LOST it is the code that
  /// the process has exited with. 0 for other errors.
  int exit_code() const noexcept { return subpy_error_exit_code(c()); }

  /// The signal that has ended the process of a #SUBPY_ERR_LOST. 0 where there is none.
  int signal() const noexcept { return subpy_error_signal(c()); }

  /// The type or the status, and the message: "ValueError: boom", "SUBPY_ERR_BUSY: it runs".
  /// It is valid as long as this error or a copy of it.
  const char *what() const noexcept override { return data_->what.c_str(); }

  /// The C error. It is valid as long as this error or a copy of it. NULL for one of the host's own.
  const subpy_error *c() const noexcept { return data_->error; }

private:
  struct Free {
    void operator()(subpy_error *error) const noexcept { subpy_error_free(error); }
  };
  using Handle = std::unique_ptr<subpy_error, Free>;

  struct Data {
    explicit Data(Handle owned) : Data(owned.get()) { handle = std::move(owned); }

    Data(std::shared_ptr<const Data> other, const subpy_error *c) : Data(c) {
      whole = std::move(other);
    }

    explicit Data(const subpy_error *c)
        : error(c), status(subpy_error_status(c)), type(subpy_error_type(c)),
          message(subpy_error_message(c)), traceback(subpy_error_traceback(c)), what(line()) {}

    Data(subpy_status s, std::string_view text, std::string_view name)
        : own_type(name), own_message(text), status(s), type(own_type), message(own_message),
          traceback(""), what(line()) {}

    Data(const Data &) = delete;
    Data &operator=(const Data &) = delete;

    std::string line() const {
      const std::string_view name = type.empty() ? subpy_status_name(status) : type;
      std::string line(name);
      return message.empty() ? line : line.append(": ").append(message);
    }

    Handle handle;                     // of the error of a call
    std::shared_ptr<const Data> whole; // of one that comes with another one: the error that has it
    std::string own_type;              // of one of the host's own
    std::string own_message;
    const subpy_error *error = nullptr;
    subpy_status status;
    std::string_view type;
    std::string_view message;
    std::string_view traceback;
    std::string what;
  };

  Error(std::shared_ptr<const Data> whole, const subpy_error *error)
      : data_(std::make_shared<const Data>(std::move(whole), error)) {}

  std::optional<Error> other(const subpy_error *error) const {
    return error ? std::optional<Error>(Error(data_, error)) : std::nullopt;
  }

  std::shared_ptr<const Data> data_;
};

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
