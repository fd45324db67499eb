// Writes the segments of a write-ahead log: cuts torn bytes off before it goes on, and keeps count
// of what is acknowledged and what is on disk. Owned by a Wal, which decides whose turn it is: one
// thread at a time. Format: docs/formats/wal.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "store/metrics/wal_format.h"

namespace binnacle::store::metrics {

// Frames that one append brought.
struct WalAppend {
  std::string_view frames;
  uint32_t count = 0;
};

class WalWriter {
 public:
  // Makes the segment `first`, and durable what the one before holds. Later segments are of its
  // format.
  static Result<std::unique_ptr<WalWriter>> open(std::string folder, const WalHeader& first,
                                                 FileSystem& files, const Clock& clock,
                                                 Registry& registry);
  ~WalWriter();

  // All of them or, after an error, none. `durable`: they are on disk on return.
  Status write(std::span<const WalAppend> appends, bool durable, uint64_t segment_bytes);
  // `durable`: appends are acknowledged only when they are on disk, so that a segment must not end
  // with bytes in doubt.
  Status rotate(bool durable);
  Status sync();

  // A sync that runs while others have their turn: begin_sync() and end_sync() in a turn,
  // run_sync() in none. It has a file handle of its own.
  struct Sync {
    uint64_t segment = 0;
    uint64_t bytes = 0;                  // acknowledged when it began
    uint64_t writes = 0;                 // so many had changed the segment
    std::unique_ptr<WritableFile> file;  // null: there is nothing to sync
  };
  Result<Sync> begin_sync();
  Status run_sync(Sync& sync);
  Status end_sync(const Sync& sync, Status outcome);

  uint64_t segment() const { return number_; }
  uint64_t size() const { return acknowledged_; }
  bool unsynced() const { return unsynced_; }
  bool sync_failed() const { return failed_segment_ != 0; }
  bool in_doubt() const { return in_doubt_; }
  void forgive_before(uint64_t segment);
  void count_failure(std::string_view op);

 private:
  WalWriter(std::string folder, int format, FileSystem& files, const Clock& clock,
            Registry& registry);
  std::string path() const;
  Status create(uint64_t previous_bytes, FileSystem::Create how);
  Status make_ready(bool durable, uint64_t segment_bytes);
  Status cut_torn_bytes();
  Status begin_next(bool durable);
  Status write_torn(std::span<const WalAppend> appends, bool durable);
  Status write_groups(std::span<const WalAppend> appends);
  Status write_staged();
  Status sync_file();
  Status timed_sync(WritableFile& file);
  void note_failed_sync(uint64_t segment);

  // Fixed after construction.
  const std::string folder_;
  const int format_;
  FileSystem& files_;
  const Clock& clock_;
  Registry& registry_;
  Counter& bytes_written_;
  Counter& records_;
  Histogram& sync_seconds_;
  Gauge& segment_gauge_;

  // Of the thread whose turn it is.
  uint64_t number_ = 0;
  std::unique_ptr<WritableFile> file_;  // null: to be opened anew
  uint64_t acknowledged_ = 0;           // bytes up to the end of the last acknowledged append
  uint64_t synced_ = 0;                 // of these, what a sync has brought to disk
  bool torn_ = false;                   // bytes behind acknowledged_ may be there
  bool unsynced_ = false;               // the file changed since its last sync
  uint64_t writes_ = 0;                 // changes of files so far
  bool ended_ = false;                  // the next segment may be there: nothing more goes in here
  uint64_t failed_segment_ = 0;         // the latest where a sync failed, until forgiven
  bool in_doubt_ = false;               // acknowledged bytes may be lost, until forgiven
  std::string staged_;                  // headers and small appends, written together
};

}  // namespace binnacle::store::metrics
