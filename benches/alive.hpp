#pragma once

/// Creates many interpreters and destroys them, in the way "raw" or "subpy", in a process of its
/// own: what dead interpreters leave behind would blur the memory of those alive. Prints, as JSON,
/// the time of creating and destroying while nearly all are alive, and the memory of one.
int alive(int count, char **arguments);
