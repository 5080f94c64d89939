/* The functions of the C library that give what may be refused. They stand for those in the whole process. */
#define _GNU_SOURCE
#define SUPPORT_PLAIN

#include "refusing.h"

#include "support.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind refused = KINDS;
atomic_long left;

static bool refuse(enum kind kind) { return kind == refused && atomic_fetch_sub(&left, 1) == 1; }

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);

static void *no_memory(void) {
  errno = ENOMEM;
  return NULL;
}

/* Below Python 3.12 the compiler goes on where it got no memory for a block of code, and reads it: a crash of its own. */
static bool in_old_compiler(void) {
  void *frames[64];
  const int count = python_at_least(3, 12) ? 0 : backtrace(frames, COUNT(frames));
  for (int i = 0; i < count; i++) {
    Dl_info found;
    if (dladdr(frames[i], &found) && found.dli_sname &&
        strcmp(found.dli_sname, "_PyAST_Compile") == 0) {
      return true;
    }
  }
  return false;
}

static bool refuse_memory(void) {
  if (!refuse(MALLOC)) {
    return false;
  }
  if (in_old_compiler()) {
    left = 1; /* the next one */
    return false;
  }
  return true;
}

void *malloc(size_t size) { return refuse_memory() ? no_memory() : __libc_malloc(size); }

void *calloc(size_t count, size_t size) {
  return refuse_memory() ? no_memory() : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
  return refuse_memory() ? no_memory() : __libc_realloc(block, size);
}

void *mmap(void *address, size_t length, int access, int flags, int file, off_t offset) {
  if (refuse(MMAP)) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return (void *)syscall(SYS_mmap, address, length, access, flags, file, offset);
}

static int no_descriptor(void) {
  errno = EMFILE;
  return -1;
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return refuse(OPEN) ? no_descriptor() : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return open(path, flags, mode);
}

int pipe2(int ends[2], int flags) {
  return refuse(PIPE) ? no_descriptor() : (int)syscall(SYS_pipe2, ends, flags);
}

int pipe(int ends[2]) { return pipe2(ends, 0); }

typedef int create_thread(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
static create_thread *real_create_thread;

__attribute__((constructor)) static void begin(void) {
  backtrace((void *[1]){NULL}, 1); /* the first time it needs memory itself */
  *(void **)&real_create_thread = dlsym(RTLD_NEXT, "pthread_create");
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *),
                   void *argument) {
  return refuse(PTHREAD_CREATE) ? EAGAIN : real_create_thread(thread, attributes, work, argument);
}
