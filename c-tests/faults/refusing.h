/* What the system refuses: once, the thing of this kind that is asked for when so many more have been. */
#ifndef SUBPY_TESTS_REFUSING_H
#define SUBPY_TESTS_REFUSING_H

#include <stdatomic.h>

enum kind { MALLOC, MMAP, OPEN, PIPE, PTHREAD_CREATE, KINDS };

extern enum kind refused; /* KINDS: nothing is refused */
extern atomic_long left;

#endif
