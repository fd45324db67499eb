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
#include "store/metrics/store_format.h"

namespace binnacle::store::metrics {

struct WalOptions {
  bool sync_always = false;                     // append() returns when the record is on disk
  int64_t sync_interval_ms = 1000;              // otherwise: sync_if_due() syncs this often
  uint64_t segment_bytes = uint64_t{64} << 20;  // a new segment begins beyond
  int format = kDefaultFormat;                  // of all segments, fixed by open()
};

// One byte that says what a record holds (wal_records.h); the log itself does not look inside.
using WalRecordType = uint8_t;
inline constexpr size_t kWalMaxPayloadBytes = size_t{64} << 20;

class Wal {
 public:
  // Begins segment `first_segment`; neither it nor a later one may be there yet (kAlreadyExists).
  // Registers binnacle_wal_*.
  static Result<std::unique_ptr<Wal>> open(std::string folder, uint64_t first_segment,
                                           WalOptions options, FileSystem& files,
                                           const Clock& clock, Registry& registry);
  ~Wal();  // what was acknowledged is in the files; syncs, without a way to report

  // Appends framed records (append_wal_frame, one or more) as one piece: after a crash all of them
  // are there or the log ends before them (a batch is one frame group). Returns when they are
  // written, with sync_always when they are synced. After a failed write the torn bytes are cut off
  // before anything else is appended; while that fails every append is refused (kUnavailable,
  // kResourceExhausted on a full disk), and each append tries again. A refused append may still be
  // there after a crash. kOutOfRange beyond 256 MiB of frames.
  Status append(std::string_view frames);

  // Ends the segment and begins the next one; returns its number. What is appended from then on is
  // in it or in later ones.
  Result<uint64_t> rotate();
  // Call it at least ten times an interval. Appends go on while it syncs.
  Status sync_if_due();
  Status sync();
  // Removes the segments before that number.
  Status remove_before(uint64_t segment);

  // A sync failed: what the disk holds of the newest records is not known, so that everything must
  // be written anew (a head snapshot), after which the caller calls forgive(). With sync_always
  // appends go on where all that was acknowledged is safe, and are refused where it is not.
  bool sync_failed() const;
  // What was acknowledged before the last rotate() no longer counts. A sync that failed later
  // stays.
  void forgive();

  uint64_t segment() const;
  uint64_t bytes_since(uint64_t segment) const;  // in that and later segments, headers included
  void set_options(WalOptions options);

 private:
  class Impl;
  explicit Wal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Appends to `out` one frame with that type and payload (checksummed), which is at most
// kWalMaxPayloadBytes long.
void append_wal_frame(WalRecordType type, std::string_view payload, std::string& out);
// The same without a copy: what is appended to `out` between the two is the payload. end takes what
// begin gave.
size_t begin_wal_frame(WalRecordType type, std::string& out);
void end_wal_frame(size_t begun, std::string& out);

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
  uint64_t last_segment = 0;   // after mend_wal(): behind a damage none is left
  uint64_t records = 0;
  uint64_t bytes = 0;
  std::vector<WalDamage> damage;  // empty: whole; at most one entry
};

// Calls `visit` for every whole record of segments >= `from`, in order; a failed visit ends it with
// that error. `progress(done_bytes, total_bytes)` is called now and then. A group of frames that
// was appended as one piece is visited whole or not at all. Changes nothing on disk. Damage is no
// error; a segment of a version that is not read is one (kFailedPrecondition).
Result<WalReadReport> read_wal(
    FileSystem& files, const std::string& folder, uint64_t from,
    const std::function<Status(WalRecordType, std::string_view payload)>& visit,
    const std::function<void(uint64_t, uint64_t)>& progress);

// After reading: cuts the torn tail off, or moves what lies behind a damage to
// `<folder>-damaged-<segment>/` (with -2, -3, ... behind it when that is taken), so that a Wal can
// be opened at last_segment + 1.
Status mend_wal(FileSystem& files, const std::string& folder, const WalReadReport& report);

}  // namespace binnacle::store::metrics
