#define SUPPORT_PLAIN
#include "check.h"

#include "script.h"

char *file_read(const char *path) {
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL, "%s can't be opened", path);
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  char *text = calloc(1, size + 1);
  CHECK(fread(text, 1, size, file) == size, "%s can't be read", path);
  fclose(file);
  return text;
}

struct script *scripts_read(const char *file) {
  enum { MOST = 256 };
  struct script *scripts = calloc(MOST + 1, sizeof *scripts);
  size_t count = 0;
  for (char *line = file_read(file), *next; line != NULL; line = next) {
    next = strchr(line, '\n');
    if (next != NULL) {
      next++;
    }
    if (strncmp(line, "#: ", 3) == 0 && next != NULL) {
      CHECK(count < MOST, "%s has too many scripts", file);
      next[-1] = line[0] = '\0'; /* ends the script before, too */
      struct script script = {.name = line + 3, .code = next};
      script.options = script.name + strcspn(script.name, " ");
      if (*script.options != '\0') {
        *script.options++ = '\0';
      }
      scripts[count++] = script;
    }
  }
  for (size_t i = 0; i < count; i++) {
    scripts[i].length = strlen(scripts[i].code);
  }
  return scripts;
}

struct script script_read(const char *file, const char *name) {
  for (const struct script *script = scripts_read(file); script->name != NULL; script++) {
    if (strcmp(script->name, name) == 0) {
      return *script;
    }
  }
  FAIL("%s: there is no script of the name %s", file, name);
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
