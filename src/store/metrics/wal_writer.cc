#include "store/metrics/wal_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/kill_points.h"
#include "store/metrics/wal_format.h"

namespace binnacle::store::metrics {
namespace {

// From here on a copy costs more than the system call that it saves.
constexpr size_t kLargeAppendBytes = size_t{128} << 10;
constexpr size_t kStagedBytes = size_t{1} << 20;

constexpr std::array kSyncBounds = {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03,
                                    0.1,    0.3,    1.0,   3.0,   10.0};

constexpr std::string_view kFailuresHelp =
    "Operations of the write-ahead log that failed, by operation.";

// A caller has two ways to go on: come again, or make room.
Unexpected refusal(Error error) {
  if (error.code != Code::kResourceExhausted) error.code = Code::kUnavailable;
  return fail(std::move(error).with_context("write-ahead log"));
}

}  // namespace

WalWriter::WalWriter(std::string folder, int format, FileSystem& files, const Clock& clock,
                     Registry& registry)
    : folder_(std::move(folder)),
      format_(format),
      files_(files),
      clock_(clock),
      registry_(registry),
      bytes_written_(registry.counter("binnacle_wal_bytes_written_total",
                                      "Bytes written to the write-ahead log.")),
      records_(registry.counter("binnacle_wal_records_total",
                                "Records written to the write-ahead log.")),
      sync_seconds_(registry.histogram("binnacle_wal_sync_seconds",
                                       "Time to bring the write-ahead log to disk.", kSyncBounds)),
      segment_gauge_(registry.gauge("binnacle_wal_segment",
                                    "Number of the segment of the write-ahead log in use.")) {
  for (const std::string_view op : {"write", "sync", "cut", "rotate", "remove"}) {
    registry.counter("binnacle_wal_failures_total", kFailuresHelp, {{"op", std::string(op)}});
  }
}

WalWriter::~WalWriter() {
  if (file_ && unsynced_) (void)sync_file();
}

void WalWriter::count_failure(std::string_view op) {
  registry_.counter("binnacle_wal_failures_total", kFailuresHelp, {{"op", std::string(op)}}).add();
}

std::string WalWriter::path() const { return wal_segment_path(folder_, number_); }

Result<std::unique_ptr<WalWriter>> WalWriter::open(std::string folder, const WalHeader& first,
                                                   FileSystem& files, const Clock& clock,
                                                   Registry& registry) {
  // A process that was killed left the newest segment unsynced. The new one states its size.
  if (first.previous_bytes > 0) {
    TRY_ASSIGN(const auto previous, files.open_writable(wal_segment_path(folder, first.segment - 1),
                                                        FileSystem::Create::kAppend));
    TRY(previous->sync());
  }
  std::unique_ptr<WalWriter> writer(
      new WalWriter(std::move(folder), first.format, files, clock, registry));
  writer->number_ = first.segment;
  if (auto created = writer->create(first.previous_bytes, FileSystem::Create::kExclusive);
      !created) {
    const bool is_ours = created.error().code != Code::kAlreadyExists;
    writer->file_.reset();
    if (is_ours) (void)files.remove(writer->path());
    return fail(std::move(created).error());
  }
  return writer;
}

// Makes the file of segment number_; after an error it may be there in any state.
Status WalWriter::create(uint64_t previous_bytes, FileSystem::Create how) {
  file_.reset();
  TRY_ASSIGN(auto file, files_.open_writable(path(), how));
  std::string header;
  append_wal_header({format_, number_, previous_bytes}, header);
  TRY(file->append(header));
  // Now, as bytes under a sync that failed can be cut off and written again, the header cannot.
  TRY(file->sync());
  kill_point("log.begin");
  TRY(files_.sync_dir(folder_));
  file_ = std::move(file);
  acknowledged_ = header.size();
  synced_ = header.size();
  torn_ = false;
  unsynced_ = false;
  ended_ = false;
  bytes_written_.add(static_cast<double>(header.size()));
  segment_gauge_.set(static_cast<double>(number_));
  return {};
}

Status WalWriter::write(std::span<const WalAppend> appends, bool durable, uint64_t segment_bytes) {
  if (durable && in_doubt_) {
    return fail(Code::kUnavailable,
                "write-ahead log: an earlier sync failed, so that nothing can be made durable "
                "before the log is begun anew");
  }
  if (auto ready = make_ready(durable, segment_bytes); !ready) return refusal(ready.error());
  if (auto written = write_torn(appends, durable); !written) {
    // At once where that is possible: bytes whose sync failed look whole until the power goes.
    (void)cut_torn_bytes();
    return refusal(std::move(written).error());
  }
  const uint64_t end = file_->size();
  torn_ = false;
  if (durable) synced_ = end;
  bytes_written_.add(static_cast<double>(end - acknowledged_));
  acknowledged_ = end;
  for (const WalAppend& append : appends) records_.add(append.count);
  return {};
}

Status WalWriter::write_torn(std::span<const WalAppend> appends, bool durable) {
  torn_ = true;
  unsynced_ = true;
  ++writes_;
  if (auto written = write_groups(appends); !written) {
    count_failure("write");
    return written;
  }
  return durable ? sync_file() : Status();
}

// After it the file ends with acknowledged bytes and may be appended to.
Status WalWriter::make_ready(bool durable, uint64_t segment_bytes) {
  TRY(cut_torn_bytes());
  if (ended_ || acknowledged_ >= segment_bytes) return begin_next(durable);
  return {};
}

Status WalWriter::cut_torn_bytes() {
  if (!torn_) return {};
  file_.reset();
  auto file = files_.truncate(path(), acknowledged_).and_then([&] {
    return files_.open_writable(path(), FileSystem::Create::kAppend);
  });
  if (!file) {
    count_failure("cut");
    return fail(std::move(file).error());
  }
  if ((*file)->size() != acknowledged_) {
    count_failure("cut");
    return fail(Code::kUnavailable, fmt::format("cut {} at {} bytes: it has {}; another program "
                                                "changes it",
                                                path(), acknowledged_, (*file)->size()));
  }
  file_ = std::move(*file);
  torn_ = false;
  unsynced_ = true;
  ++writes_;
  return {};
}

// The next segment states how long this one is, so that this one's end must be certain. Where
// acknowledged bytes are in doubt already nothing is made worse, and a new segment is the way out.
Status WalWriter::begin_next(bool durable) {
  if (unsynced_ && !ended_) {
    auto synced = sync_file();
    if (!synced && durable && !in_doubt_) return synced;
    if (!synced) in_doubt_ = true;
  }
  ended_ = true;
  kill_point("log.rotate");
  const uint64_t previous_bytes = acknowledged_;
  ++number_;
  // What an earlier try left there goes.
  auto created = create(previous_bytes, FileSystem::Create::kTruncate);
  if (!created) {
    // A header whose sync failed looks whole to the next process, and is not.
    (void)files_.remove(path());
    --number_;
    count_failure("rotate");
  }
  return created;
}

Status WalWriter::write_groups(std::span<const WalAppend> appends) {
  uint64_t offset = acknowledged_;
  staged_.clear();
  for (const WalAppend& append : appends) {
    const auto size = static_cast<uint32_t>(append.frames.size());
    append_wal_group_header({number_, offset}, size, append.count, staged_);
    if (append.frames.size() < kLargeAppendBytes) {
      staged_ += append.frames;
    } else {
      TRY(write_staged());
      TRY(file_->append(append.frames));
    }
    staged_ += kWalEndMark;
    offset += kWalGroupHeaderBytes + append.frames.size() + 1;
    if (staged_.size() >= kStagedBytes) TRY(write_staged());
  }
  TRY(write_staged());
  CHECK(file_->size() == offset);
  return {};
}

Status WalWriter::write_staged() {
  if (staged_.empty()) return {};
  TRY(file_->append(staged_));
  staged_.clear();
  return {};
}

Status WalWriter::timed_sync(WritableFile& file) {
  const int64_t begun_ns = clock_.monotonic_ns();
  auto synced = file.sync();
  sync_seconds_.observe(static_cast<double>(clock_.monotonic_ns() - begun_ns) / 1e9);
  if (!synced) count_failure("sync");
  return synced;
}

// The kernel may have forgotten which pages it could not write: a later sync that succeeds says
// nothing about them.
void WalWriter::note_failed_sync(uint64_t segment) {
  failed_segment_ = std::max(failed_segment_, segment);
  if (segment != number_ || synced_ < acknowledged_) in_doubt_ = true;
}

// Does not move synced_: which bytes count is known to the caller.
Status WalWriter::sync_file() {
  auto synced = timed_sync(*file_);
  if (synced) {
    unsynced_ = false;
  } else {
    note_failed_sync(number_);
  }
  return synced;
}

Result<WalWriter::Sync> WalWriter::begin_sync() {
  if (auto cut = cut_torn_bytes(); !cut) return refusal(cut.error());
  Sync sync{.segment = number_, .bytes = acknowledged_, .writes = writes_, .file = nullptr};
  if (!file_ || !unsynced_) return sync;
  if (auto file = files_.open_writable(path(), FileSystem::Create::kAppend)) {
    sync.file = std::move(*file);
  } else {
    TRY(this->sync());  // with the handle that is there, while others wait
  }
  return sync;
}

Status WalWriter::run_sync(Sync& sync) {
  return sync.file == nullptr ? Status() : timed_sync(*sync.file);
}

// A segment that has ended meanwhile was synced when the next one began.
Status WalWriter::end_sync(const Sync& sync, Status outcome) {
  if (!outcome) {
    note_failed_sync(sync.segment);
    return refusal(std::move(outcome).error());
  }
  if (sync.file == nullptr || sync.segment != number_) return {};
  synced_ = std::max(synced_, sync.bytes);
  if (sync.writes == writes_) unsynced_ = false;
  return {};
}

Status WalWriter::sync() {
  if (auto cut = cut_torn_bytes(); !cut) return refusal(cut.error());
  if (!file_ || !unsynced_) return {};
  if (auto synced = sync_file(); !synced) return refusal(synced.error());
  synced_ = acknowledged_;
  return {};
}

Status WalWriter::rotate(bool durable) {
  auto begun = cut_torn_bytes().and_then([&] { return begin_next(durable); });
  if (!begun) return refusal(begun.error());
  return {};
}

void WalWriter::forgive_before(uint64_t segment) {
  if (failed_segment_ >= segment) return;
  failed_segment_ = 0;
  in_doubt_ = false;
}

}  // namespace binnacle::store::metrics
