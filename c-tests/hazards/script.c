#include "subject.h"

#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    fail("%s: can't be opened", path);
  }
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  char *text = calloc(1, size + 1);
  if (fread(text, 1, size, file) != size) {
    fail("%s: can't be read", path);
  }
  fclose(file);
  return text;
}

struct script script_read(const char *file, const char *name) {
  char *line = read_file(file);
  size_t name_length = strlen(name);
  while (line != NULL) {
    char *end = strchr(line, '\n');
    bool begins = strncmp(line, "#: ", 3) == 0 && strncmp(line + 3, name, name_length) == 0 &&
                  strchr(" \n", line[3 + name_length]) != NULL;
    if (begins && end != NULL) {
      *end = '\0';
      char *code = end + 1, *next = strstr(code, "\n#: ");
      if (next != NULL) {
        next[1] = '\0';
      }
      struct script script = {line + 3 + name_length, code, strlen(code)};
      return script;
    }
    line = end == NULL ? NULL : end + 1;
  }
  fail("%s: there is no script of the name %s", file, name);
}

bool script_option(const struct script *script, const char *name, char *value, size_t room) {
  size_t name_length = strlen(name);
  for (const char *at = script->options; *at != '\0'; at += strcspn(at, " ")) {
    at += strspn(at, " ");
    if (strncmp(at, name, name_length) == 0 && strchr("= ", at[name_length]) != NULL) {
      const char *start = at + name_length + (at[name_length] == '=');
      snprintf(value, room, "%.*s", (int)strcspn(start, " "), start);
      return true;
    }
  }
  return false;
}

long script_number(const struct script *script, const char *name, long otherwise) {
  char text[32];
  return script_option(script, name, text, sizeof text) ? script_size(text) : otherwise;
}

long script_size(const char *text) {
  char *unit;
  long number = strtol(text, &unit, 10);
  return *unit == 'K' ? number << 10 : *unit == 'M' ? number << 20 : number;
}

/* 3.12.1 as 312, "" as `otherwise`. */
static int minor_version(const char *text, int otherwise) {
  int major, minor;
  return sscanf(text, "%d.%d", &major, &minor) == 2 ? major * 100 + minor : otherwise;
}

bool version_in(const char *version, const char *range) {
  int it_is = minor_version(version, 0);
  const char *last = strchr(range, '-');
  return it_is >= (*range == '-' ? 0 : minor_version(range, 0)) &&
         it_is <= (last == NULL ? 999 : minor_version(last + 1, 999));
}
