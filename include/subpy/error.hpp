/// @file
/// Why a call failed.

#ifndef SUBPY_ERROR_HPP
#define SUBPY_ERROR_HPP

#include <subpy.h>
#include <subpy/exceptions.hpp>

#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// Why a call failed. Plain data: it can be read in any thread, and outlives the interpreter and
/// the runtime. Copies share it, and copying doesn't throw.
class Error : public std::exception {
public:
  /// Copies what a C call reported, and frees that.
  ///
  /// @param error Not NULL; taken over, also if this throws `std::bad_alloc`.
  explicit Error(subpy_error *error) : data_(std::make_shared<const Data>(Handle(error))) {}

  /// Makes an error of the host's own.
  ///
  /// @param status  Any but #SUBPY_OK.
  /// @param message What went wrong, for a human.
  /// @param type    The type of the Python exception that it stands for, with
  ///                #SUBPY_ERR_EXCEPTION: "ValueError", "package.module.Oops". Empty: none.
  Error(subpy_status status, std::string_view message, std::string_view type = {})
      : data_(std::make_shared<const Data>(status, message, type)) {}

  /// The status of the call that failed; never #SUBPY_OK.
  subpy_status status() const noexcept { return data_->status; }

  /// What went wrong, for a human: for an exception, what `str()` says of it.
  /// Valid as long as this error or a copy of it.
  std::string_view message() const noexcept { return data_->message; }

  /// The Python exception's type, as a traceback names it: "ValueError", "package.module.Oops".
  /// Empty if the error is no Python exception. Valid as long as this error or a copy of it.
  std::string_view type() const noexcept { return data_->type; }

  /// The traceback as Python prints it, with causes and notes; its lines end in "\n". Empty if
  /// there is none. Valid as long as this error or a copy of it.
  std::string_view traceback() const noexcept { return data_->traceback; }

  /// The exit code of a #SUBPY_ERR_EXIT, as the shell would see it: 0 to 255. 0 for other errors.
  int exit_code() const noexcept { return data_->exit_code; }

  /// "ValueError: the message", or "SUBPY_ERR_BUSY: the message" if it is no Python exception.
  /// Valid as long as this error or a copy of it.
  const char *what() const noexcept override { return data_->what.c_str(); }

private:
  struct Free {
    void operator()(subpy_error *error) const noexcept { subpy_error_free(error); }
  };
  using Handle = std::unique_ptr<subpy_error, Free>;

  struct Data {
    explicit Data(const Handle &error)
        : status(subpy_error_status(error.get())), exit_code(subpy_error_exit_code(error.get())),
          type(subpy_error_type(error.get())), message(subpy_error_message(error.get())),
          traceback(subpy_error_traceback(error.get())), what(line()) {}

    Data(subpy_status s, std::string_view text, std::string_view name)
        : status(s), exit_code(0), type(name), message(text), what(line()) {}

    std::string line() const {
      const std::string name = type.empty() ? subpy_status_name(status) : type;
      return message.empty() ? name : name + ": " + message;
    }

    subpy_status status;
    int exit_code;
    std::string type;
    std::string message;
    std::string traceback;
    std::string what;
  };

  std::shared_ptr<const Data> data_;
};

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
