/* A plugin that has a copy of subpy of its own, from the static library. */
#include <subpy.h>

const char *static_plugin_version(void);
const char *static_plugin_version(void) { return subpy_version(); }
