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

/// Why a call failed. It is plain data: any thread may read it, also after the interpreter is
/// destroyed and after Python is finalized. Copies share it, and copying does not throw.
class Error : public std::exception {
public:
  /// Copies the error of a C call, and frees it.
  ///
  /// @param error Not NULL. It is freed, also if this throws `std::bad_alloc`.
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

  /// The exit code of a #SUBPY_ERR_EXIT, as a shell would see it: 0 to 255. Of a #SUBPY_ERR_LOST it is the code that
  /// the process has exited with. 0 for other errors.
  int exit_code() const noexcept { return data_->exit_code; }

  /// The signal that has ended the process of a #SUBPY_ERR_LOST. 0 where there is none.
  int signal() const noexcept { return data_->signal; }

  /// The type or the status, and the message: "ValueError: boom", "SUBPY_ERR_BUSY: it runs".
  /// It is valid as long as this error or a copy of it.
  const char *what() const noexcept override { return data_->what.c_str(); }

private:
  struct Free {
    void operator()(subpy_error *error) const noexcept { subpy_error_free(error); }
  };
  using Handle = std::unique_ptr<subpy_error, Free>;

  struct Data {
    explicit Data(const Handle &error)
        : status(subpy_error_status(error.get())), exit_code(subpy_error_exit_code(error.get())),
          signal(subpy_error_signal(error.get())), type(subpy_error_type(error.get())),
          message(subpy_error_message(error.get())), traceback(subpy_error_traceback(error.get())),
          what(line()) {}

    Data(subpy_status s, std::string_view text, std::string_view name)
        : status(s), exit_code(0), signal(0), type(name), message(text), what(line()) {}

    std::string line() const {
      const std::string name = type.empty() ? subpy_status_name(status) : type;
      return message.empty() ? name : name + ": " + message;
    }

    subpy_status status;
    int exit_code;
    int signal;
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
