// The head as it is, written as a log of its own: what the log before it held need not be replayed
// any more, and can go. Format: docs/formats/head.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "store/metrics/head.h"
#include "store/metrics/metadata_table.h"

namespace binnacle::store::metrics {

// `folder`/<wal_segment>/: everything that the log's segments before `wal_segment` hold is in it.
// On disk when it returns; older snapshots are removed then. Series stay locked only while their
// bytes are copied. `format`: what it is written in.
Status write_head_snapshot(Head& head, const MetadataTable& metadata, FileSystem& files,
                           const Clock& clock, const std::string& folder, uint64_t wal_segment,
                           int format);

struct HeadSnapshotReport {
  uint64_t wal_segment = 0;  // replay from there; 0: there is no snapshot
  uint64_t series = 0;
  uint64_t bytes = 0;
  std::string damaged;  // a copy of what was broken; what stood before the damage was loaded
};
// Loads the newest snapshot into an empty head; unfinished and older ones are removed. After damage
// write a new one at once. `go_on` is asked before each record; its error ends the load.
Result<HeadSnapshotReport> load_head_snapshot(FileSystem& files, const std::string& folder,
                                              Head& head, MetadataTable& metadata,
                                              const std::function<Status()>& go_on);

}  // namespace binnacle::store::metrics
