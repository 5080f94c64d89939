/* The functions of the C library that give what may be refused. They stand for those in the whole process. */
#define _GNU_SOURCE
#include "refusing.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
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

void *malloc(size_t size) { return refuse(MALLOC) ? no_memory() : __libc_malloc(size); }

void *calloc(size_t count, size_t size) {
  return refuse(MALLOC) ? no_memory() : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
  return refuse(MALLOC) ? no_memory() : __libc_realloc(block, size);
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

__attribute__((constructor)) static void find_create_thread(void) {
  *(void **)&real_create_thread = dlsym(RTLD_NEXT, "pthread_create");
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *),
                   void *argument) {
  return refuse(PTHREAD_CREATE) ? EAGAIN : real_create_thread(thread, attributes, work, argument);
}
