// The version of what a metric store has on disk: one number for log, head snapshot, block and
// tombstones. A binary reads its newest version and the one before, and writes the one that
// `storage.format` names, so that an update can be rolled back until that is raised.
#pragma once

#include <string>

#include "base/error.h"
#include "base/file_system.h"

namespace binnacle::store::metrics {

inline constexpr int kNewestFormat = 1;
inline constexpr int kOldestFormat = kNewestFormat > 1 ? kNewestFormat - 1 : 1;
// What a store is written in unless told otherwise: the binary before this one reads it too.
inline constexpr int kDefaultFormat = kOldestFormat;

// kFailedPrecondition with the way out when this binary does not read that version.
Status check_format(int format);
// The same for all that lies in a store's folder; the error names the first file that is of another
// version. Looks at heads of files only and changes nothing; what is broken otherwise is not its
// business.
Status check_store_formats(FileSystem& files, const std::string& folder);

}  // namespace binnacle::store::metrics
