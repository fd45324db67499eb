// The object that the precompiled headers belong to; it has nothing of its own.
