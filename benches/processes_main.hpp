#pragma once

/// Measures interpreters in processes of their own ("subpy"), or in this one ("local"), and prints JSON. In a process for
/// each: what is to be there from the start is said once in a process.
int measure_processes(int count, char **arguments);
