/*
 * The scripts of a file of hazards: this is the one reader of such files. Each script begins with a line
 *
 *     #: name option=value option
 *
 * and ends at the next one. The options say what has to come out, and what is special:
 *
 *   expect=EXCEPTION    the status of the run, without SUBPY_ERR_ (OK); `any` for whichever
 *   type=ValueError     the exception's type
 *   message=part        is in the error's message (no blanks in it)
 *   after=EXCEPTION     the status of a run of `x = 1` after it (OK)
 *   destroy=BUSY        the status of destroying the interpreter (OK); BUSY: `release()` is run then,
 *                       which the script has defined, and it has to be OK some time after that; any: it
 *                       may be busy for a time, by itself
 *   threads=2           as destroy=BUSY, with this many threads in the message
 *   says=text           is in what the interpreter has written when it is destroyed
 *   output=1000         bytes are written by then
 *   exit=3              the process ends, with this code
 *   needs_process       it is only put to interpreters in processes of their own: it would end the host
 *   process_expect=LOST what comes out there, instead of what the options above say; any: whichever
 *   uncured=-3.11       nobody can help, in these versions: whatever comes out passes
 *   refused=3.12-3.12   these Pythons refuse its extension modules where the GIL is not shared: the
 *                       run ends in a clean ImportError
 *   needs=3.12          a later Python than the oldest
 *   shared fork exec daemon    how the interpreter is made
 *   package=numpy       is in the folder that SUBPY_HAZARDS_PACKAGES names, or else it is skipped
 *   filename=text       is what the script is called
 *   generate            the output of the script is what is run then
 *   process             its streams are the process's own; closed: and stdout is a closed pipe
 *   memory=64M time=200 limits of an interpreter in bytes, and of a run in milliseconds
 *   output_limit=1000   as subpy_interpreter_config has it
 *   kill_after=100      as subpy_run_options has it (30000)
 *   ignore_sigpipe      as subpy_runtime_config has it
 *   leave               the process ends without finalizing
 *   timeout=120         seconds (60)
 */
#ifndef SUBPY_HAZARDS_SCRIPT_H
#define SUBPY_HAZARDS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

struct script {
  char *name;
  char *options; /* the first line, after the name */
  char *code;    /* ends in a NUL */
  size_t length;
};

/* All of a file; it ends in a NUL. */
char *file_read(const char *path);

/* All scripts of a file. The last one is followed by one whose name is NULL. */
struct script *scripts_read(const char *file);

/* The one of this name. It ends the process with a message if there is none. */
struct script script_read(const char *file, const char *name);

/* Whether an option is given. Its value goes to `value`, cut off at `room`; "" if it has none. */
bool script_option(const struct script *script, const char *name, char *value, size_t room);

/* The value of an option that is a number; `otherwise` if it isn't given. */
long script_number(const struct script *script, const char *name, long otherwise);

/* The number in a text such as 300, 64K, 2M. */
long script_size(const char *text);

/* Whether a Python version such as "3.12.1" is in a range such as "3.12-3.13", "-3.12", "3.12" (and
 * later). */
bool version_in(const char *version, const char *range);

#endif
