/*
 * A plugin host: it knows libsubpy by its path alone, and loads it with RTLD_LOCAL. Extension
 * modules, which expect Python's symbols to be global, import all the same.
 */
#include <subpy.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(EACH)                                                                            \
  EACH(subpy_create)                                                                               \
  EACH(subpy_destroy)                                                                              \
  EACH(subpy_destroy_with)                                                                         \
  EACH(subpy_error_exit_code)                                                                      \
  EACH(subpy_error_free)                                                                           \
  EACH(subpy_error_message)                                                                        \
  EACH(subpy_error_status)                                                                         \
  EACH(subpy_error_traceback)                                                                      \
  EACH(subpy_error_type)                                                                           \
  EACH(subpy_finalize)                                                                             \
  EACH(subpy_get_current)                                                                          \
  EACH(subpy_get_main)                                                                             \
  EACH(subpy_initialize)                                                                           \
  EACH(subpy_is_initialized)                                                                       \
  EACH(subpy_is_running)                                                                           \
  EACH(subpy_list_all)                                                                             \
  EACH(subpy_python_version)                                                                       \
  EACH(subpy_run_string_with)                                                                      \
  EACH(subpy_run_string)                                                                           \
  EACH(subpy_status_name)                                                                          \
  EACH(subpy_supports)                                                                             \
  EACH(subpy_version)

/* A pointer to each, under the same name: `plugin.subpy_create(...)`. */
#define MEMBER(name) __typeof__(&name) name;
static struct {
  FUNCTIONS(MEMBER)
} plugin;

static void load(void) {
  void *library = dlopen(SUBPY_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
#define LOAD(name)                                                                                 \
  *(void **)&plugin.name = dlsym(library, #name);                                                  \
  if (plugin.name == NULL) {                                                                       \
    fprintf(stderr, "%s\n", dlerror());                                                            \
    exit(1);                                                                                       \
  }
  FUNCTIONS(LOAD)
}

static void expect(int line, subpy_status expected, subpy_status got, subpy_error *error) {
  if (got != expected) {
    fprintf(stderr, "%s:%d: %s, not %s: %s\n%s", __FILE__, line, plugin.subpy_status_name(got),
            plugin.subpy_status_name(expected), plugin.subpy_error_message(error),
            plugin.subpy_error_traceback(error));
    exit(1);
  }
  plugin.subpy_error_free(error);
}

#define EXPECT(expected, call)                                                                     \
  do {                                                                                             \
    subpy_error *error = NULL;                                                                     \
    const subpy_status got = plugin.call;                                                          \
    expect(__LINE__, expected, got, error);                                                        \
  } while (0)

static void check(int line, int condition, const char *what) {
  if (!condition) {
    fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, line, what);
    exit(1);
  }
}

#define CHECK(condition) check(__LINE__, condition, #condition)

/* Each is a file of its own in most Pythons, and linked to no libpython. */
static const char *const IMPORT_EXTENSIONS =
    "import array, _json, json, math, select, _socket, _struct, zlib\n"
    "assert json.loads('[1.5]') == [1.5] and math.sqrt(4) == 2 and len(array.array('i', [1])) == "
    "1\n";

/* A thread that is older than the library. */
static pthread_mutex_t is_created = PTHREAD_MUTEX_INITIALIZER;

static void *run_in_older_thread(void *id) {
  pthread_mutex_lock(&is_created);
  EXPECT(SUBPY_OK, subpy_run_string(*(subpy_id *)id, IMPORT_EXTENSIONS, &error));
  pthread_mutex_unlock(&is_created);
  return NULL;
}

int main(void) {
  subpy_id id = 0, shared = 0, current = 7;
  pthread_t older;
  subpy_interpreter_config config = SUBPY_INTERPRETER_CONFIG_INIT;
  size_t count = 0;
  bool running = true;
  pthread_mutex_lock(&is_created);
  CHECK(pthread_create(&older, NULL, run_in_older_thread, &id) == 0);
  load();
  CHECK(strcmp(plugin.subpy_version(), SUBPY_VERSION) == 0);
  CHECK(strncmp(plugin.subpy_python_version(), "3.", 2) == 0);
  CHECK(!plugin.subpy_is_initialized());
  EXPECT(SUBPY_OK, subpy_initialize(NULL, &error));
  CHECK(plugin.subpy_is_initialized());

  EXPECT(SUBPY_OK, subpy_create(NULL, &id, &error));
  pthread_mutex_unlock(&is_created);
  CHECK(pthread_join(older, NULL) == 0);
  EXPECT(SUBPY_OK, subpy_run_string(id, IMPORT_EXTENSIONS, &error));
  EXPECT(SUBPY_OK, subpy_run_string_with(id, NULL, "x = 1", 5, &error));
  config.gil = SUBPY_GIL_SHARED;
  EXPECT(SUBPY_OK, subpy_create(&config, &shared, &error));
  EXPECT(SUBPY_OK, subpy_run_string(shared, IMPORT_EXTENSIONS, &error));
  EXPECT(SUBPY_OK,
         subpy_run_string(shared, "import ctypes; ctypes.pythonapi.Py_IsInitialized", &error));
  EXPECT(SUBPY_OK, subpy_list_all(NULL, 0, &count, &error));
  CHECK(count == 3);
  EXPECT(SUBPY_OK, subpy_is_running(id, &running, &error));
  CHECK(!running);
  EXPECT(SUBPY_OK, subpy_get_main(&current, &error));
  CHECK(current == 0);
  EXPECT(SUBPY_ERR_NOT_FOUND, subpy_get_current(&current, &error));

  subpy_error *error = NULL;
  CHECK(plugin.subpy_run_string(id, "raise SystemExit(3)", &error) == SUBPY_ERR_EXIT);
  CHECK(plugin.subpy_error_status(error) == SUBPY_ERR_EXIT);
  CHECK(strcmp(plugin.subpy_error_type(error), "SystemExit") == 0);
  CHECK(plugin.subpy_error_exit_code(error) == 3);
  plugin.subpy_error_free(error);

  EXPECT(SUBPY_OK, subpy_destroy(id, &error));
  EXPECT(SUBPY_OK, subpy_destroy_with(shared, NULL, &error));
  EXPECT(SUBPY_OK, subpy_finalize(&error));
  CHECK(!plugin.subpy_is_initialized());
  CHECK(plugin.subpy_supports(SUBPY_FEATURE_OWN_GIL) ==
        plugin.subpy_supports(SUBPY_FEATURE_RESTRICTIONS));
  return 0;
}
