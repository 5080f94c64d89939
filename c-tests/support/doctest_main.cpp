// doctest's own code, with main(): compiled once for all the tests in C++. (The header is
// precompiled, so it does not derive the first name from the second any more.)
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
