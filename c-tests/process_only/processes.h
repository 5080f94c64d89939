/* What the tests of processes share. */
#ifndef SUBPY_TESTS_PROCESSES_H
#define SUBPY_TESTS_PROCESSES_H

#include "child.h"

#include <dirent.h>
#include <sys/types.h>

/* Creates an interpreter in a process of its own. */
static inline subpy_id create_process(const subpy_interpreter_config *config) {
  subpy_interpreter_config used = SUBPY_INTERPRETER_CONFIG_INIT;
  subpy_id id;
  if (config != NULL) {
    used = *config;
  }
  used.backend = SUBPY_BACKEND_PROCESS;
  EXPECT(SUBPY_OK, subpy_create(&used, &id, &error));
  return id;
}

/* What an expression is, an int. */
static inline int64_t number_in(subpy_id id, const char *expression) {
  subpy_value value;
  int64_t number = 0;
  EXPECT(SUBPY_OK, subpy_eval(id, expression, &value, &error));
  CHECK(subpy_value_as_int(&value, &number), "%s is no int", expression);
  return number;
}

/* The number of its process. */
static inline pid_t process_of(subpy_id id) {
  return (pid_t)number_in(id, "__import__('os').getpid()");
}

/* Whether a process is there, and no zombie. */
static inline bool lives(pid_t process) {
  char path[64], state = 'X';
  snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    return false;
  }
  const int found = fscanf(file, "%*d (%*[^)]) %c", &state);
  fclose(file);
  return found == 1 && state != 'Z' && state != 'X';
}

/* Waits until it is gone. */
static inline void wait_until_gone(pid_t process) {
  while (lives(process)) {
    usleep(1000);
  }
}

static inline size_t entries_of(const char *folder) {
  size_t count = 0;
  DIR *directory = opendir(folder);
  CHECK(directory != NULL, "no %s", folder);
  while (readdir(directory) != NULL) {
    count++;
  }
  closedir(directory);
  return count;
}

#endif
