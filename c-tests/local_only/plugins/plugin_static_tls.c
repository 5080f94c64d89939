/*
 * A plugin host that has taken all static TLS before it loads libsubpy. What is left for libraries that are loaded
 * late is some 1,600 bytes, and allocators, OpenMP and drivers take it. The library needs none, so it loads. Where
 * there is some it takes it, which makes it faster.
 */
#define _GNU_SOURCE
#include "support.h"

#include <dlfcn.h>
#include <link.h>

/* The largest first. */
static const char *const takers[] = {SUBPY_TAKERS};

static int take_static_tls(void) {
  int refused = 0;
  for (size_t i = 0; i < COUNT(takers); i++) {
    refused += dlopen(takers[i], RTLD_NOW | RTLD_LOCAL) == NULL;
  }
  return refused;
}

struct tls {
  size_t bytes;
  bool loaded, is_static;
};

static int look(struct dl_phdr_info *info, size_t size, void *result) {
  struct tls *tls = result;
  (void)size;
  if (strstr(info->dlpi_name, "libsubpy") == NULL) {
    return 0;
  }
  tls->loaded = true;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type == PT_TLS) {
      tls->bytes = part->p_memsz;
    }
    if (part->p_type == PT_DYNAMIC) {
      const ElfW(Dyn) *entry = (const void *)(info->dlpi_addr + part->p_vaddr);
      for (; entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_STATIC_TLS) != 0) {
          tls->is_static = true;
        }
      }
    }
  }
  return 1;
}

static __typeof__(&subpy_run_string) run_string;
static __typeof__(&subpy_error_message) error_message;

static void *run(void *argument) {
  subpy_error *error = NULL;
  CHECK(run_string(*(subpy_id *)argument, "x = [[str(i)] for i in range(1000)]", &error) ==
            SUBPY_OK,
        "%s", error_message(error));
  return NULL;
}

static void test_loads_without_static_tls(void **state) {
  (void)state;
  const int refused = take_static_tls();
#ifdef __GLIBC__
  CHECK(refused > 0, "there is static TLS left");
#endif
  void *library = dlopen(SUBPY_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  CHECK(library != NULL, "%s", dlerror());
  struct tls tls = {0};
  dl_iterate_phdr(look, &tls);
  CHECK(tls.loaded, "no libsubpy is loaded");
  CHECK(!tls.is_static, "it has the flag STATIC_TLS");
  /* What glibc gives to those that can do without. */
  CHECK(tls.bytes <= 512, "%zu bytes: too much for a static place", tls.bytes);

  __typeof__(&subpy_initialize) initialize;
  __typeof__(&subpy_create) create;
  __typeof__(&subpy_finalize) finalize;
  __typeof__(&subpy_supports) supports;
  *(void **)&initialize = dlsym(library, "subpy_initialize");
  *(void **)&create = dlsym(library, "subpy_create");
  *(void **)&finalize = dlsym(library, "subpy_finalize");
  *(void **)&supports = dlsym(library, "subpy_supports");
  *(void **)&run_string = dlsym(library, "subpy_run_string");
  *(void **)&error_message = dlsym(library, "subpy_error_message");

  /* Where each thread has its variables elsewhere, memory is counted all the same. */
  subpy_runtime_config config = SUBPY_RUNTIME_CONFIG_INIT;
  config.account_memory = supports(SUBPY_FEATURE_MEMORY_ACCOUNTS);
  subpy_id ids[4];
  CHECK_EQUAL(initialize(&config, NULL), SUBPY_OK);
  for (size_t i = 0; i < COUNT(ids); i++) {
    CHECK_EQUAL(create(NULL, &ids[i], NULL), SUBPY_OK);
  }
  pthread_t threads[COUNT(ids)];
  for (size_t i = 0; i < COUNT(ids); i++) {
    threads[i] = thread_start(run, &ids[i]);
  }
  for (size_t i = 0; i < COUNT(ids); i++) {
    thread_join(threads[i]);
    run(&ids[i]);
  }
  CHECK_EQUAL(finalize(NULL), SUBPY_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_loads_without_static_tls),
  };
  return RUN_TESTS(tests);
}
