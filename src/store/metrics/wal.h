// The write-ahead log: records in the order in which they were written, in segment files
// `wal/00000001`, ... of one folder. A record is in the log whole or not at all. Those that wait
// together share one write and, where asked for, one sync (group commit). Any thread. Format:
// docs/formats/wal.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/mutex.h"

namespace binnacle::store::metrics {

struct WalOptions {
  bool sync_always = false;                     // append() returns when the record is on disk
  int64_t sync_interval_ms = 1000;              // otherwise: sync_if_due() syncs this often
  uint64_t segment_bytes = uint64_t{64} << 20;  // a new segment begins beyond
};

// One byte that says what a record holds; the log itself does not look inside.
using WalRecordType = uint8_t;

class Wal {
 public:
  // Begins segment `first_segment`, which must not be there yet. Registers binnacle_wal_*.
  static Result<std::unique_ptr<Wal>> open(std::string folder, uint64_t first_segment,
                                           WalOptions options, FileSystem& files,
                                           const Clock& clock, Registry& registry);
  ~Wal();  // what was acknowledged is in the files; syncs, without a way to report

  // Appends framed records (append_wal_frame, one or more) as one piece: after a crash all of them
  // are there or the log ends before them (a batch is one frame group). Returns when they are
  // written, with sync_always when they are synced. After a failed write the torn bytes are cut off
  // before anything else is appended; while that fails every append is refused (kUnavailable,
  // kResourceExhausted on a full disk), and each append tries again.
  Status append(std::string_view frames) EXCLUDES(mu_);

  // Ends the segment and begins the next one; returns its number. What is appended from then on is
  // in it or in later ones.
  Result<uint64_t> rotate() EXCLUDES(mu_);
  Status sync_if_due() EXCLUDES(mu_);  // call it at least ten times an interval
  Status sync() EXCLUDES(mu_);
  // Removes the segments before that number.
  Status remove_before(uint64_t segment) EXCLUDES(mu_);

  // A sync failed: what the disk holds of the newest records is not known, so that everything must
  // be written anew (a head snapshot), after which the caller calls forgive().
  bool sync_failed() const EXCLUDES(mu_);
  void forgive() EXCLUDES(mu_);

  uint64_t segment() const EXCLUDES(mu_);
  uint64_t bytes_since(uint64_t segment) const EXCLUDES(mu_);  // in that and later segments
  void set_options(WalOptions options) EXCLUDES(mu_);

 private:
  struct Impl;
  explicit Wal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Appends to `out` one frame with that type and payload (checksummed).
void append_wal_frame(WalRecordType type, std::string_view payload, std::string& out);

// What reading a log found. Records after a damaged one are not given out: the log is used up to
// the damage, and what follows is set aside.
struct WalDamage {
  uint64_t segment = 0;
  uint64_t offset = 0;      // of the first byte that is not used
  uint64_t bytes_lost = 0;  // from there to the end of the log
  bool torn_tail = false;  // the last record was cut short by a crash: nothing acknowledged is lost
  std::string reason;
};

struct WalReadReport {
  uint64_t first_segment = 0;  // 0: no segments
  uint64_t last_segment = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;
  std::vector<WalDamage> damage;  // empty: whole; at most one entry
};

// Calls `visit` for every whole record of segments >= `from`, in order; a failed visit ends it with
// that error. `progress(done_bytes, total_bytes)` is called now and then. A group of frames that
// was appended as one piece is visited whole or not at all. Changes nothing on disk.
Result<WalReadReport> read_wal(
    FileSystem& files, const std::string& folder, uint64_t from,
    const std::function<Status(WalRecordType, std::string_view payload)>& visit,
    const std::function<void(uint64_t, uint64_t)>& progress);

// After reading: cuts the torn tail off, or moves what lies behind a damage to
// `<folder>-damaged-<segment>/`, so that a Wal can be opened at last_segment + 1.
Status mend_wal(FileSystem& files, const std::string& folder, const WalReadReport& report);

}  // namespace binnacle::store::metrics
