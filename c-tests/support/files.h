/* A temporary directory and files in it. */
#ifndef SUBPY_TESTS_FILES_H
#define SUBPY_TESTS_FILES_H

#include "support.h"

#include <ftw.h>
#include <sys/stat.h>

#define PATH_ROOM 1024

/* Makes a new directory and writes its path to `path`, which has room for PATH_ROOM. */
static inline void make_temporary(char *path) {
  const char *parent = getenv("TMPDIR");
  snprintf(path, PATH_ROOM, "%s/subpy-test-XXXXXX", parent && *parent ? parent : "/tmp");
  CHECK(mkdtemp(path) != NULL, "no directory %s", path);
}

static inline int remove_one(const char *path, const struct stat *info, int kind,
                             struct FTW *where) {
  (void)info, (void)kind, (void)where;
  return remove(path);
}

/* Removes a directory with all that is in it. */
static inline void remove_temporary(const char *path) {
  nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A directory for the tests of a program that says so: RUN_TESTS_BETWEEN(tests, make_folder, remove_folder). */
static char folder[PATH_ROOM] __attribute__((unused));

static inline int make_folder(void **state) {
  (void)state;
  make_temporary(folder);
  return 0;
}

static inline int remove_folder(void **state) {
  (void)state;
  remove_temporary(folder);
  return 0;
}

/* Writes the path of `name` in `directory` to `path`, which has room for PATH_ROOM. */
static inline void join_path(char *path, const char *directory, const char *name) {
  int length = snprintf(path, PATH_ROOM, "%s/%s", directory, name);
  CHECK(length < PATH_ROOM, "%s is too long", directory);
}

/* Writes a file and its path. */
static inline void make_file(char *path, const char *directory, const char *name, const void *data,
                             size_t length) {
  join_path(path, directory, name);
  FILE *file = fopen(path, "wb");
  CHECK(file != NULL, "no file %s", path);
  CHECK_EQUAL(fwrite(data, 1, length, file), length);
  CHECK_EQUAL(fclose(file), 0);
}

#endif
