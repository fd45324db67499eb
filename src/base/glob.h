// Shell patterns over a FileSystem: `*` and `?` match within one part of a path, `[a-z]` and
// `[^a]` one character, `\` takes the next one as it is. A leading dot is matched like any other
// character, as Go's filepath.Glob does.
#pragma once

#include "base/error.h"
#include "base/file_system.h"

#include <string>
#include <string_view>
#include <vector>

namespace binnacle {

bool matches_glob(std::string_view pattern, std::string_view name);

// The paths that exist and match, sorted. Folders that cannot be listed have no matches.
std::vector<std::string> expand_glob(FileSystem& files, const std::string& pattern);

}  // namespace binnacle
