#include "store/metrics/wal.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "store/metrics/wal_format.h"
#include "store/metrics/wal_writer.h"

namespace binnacle::store::metrics {

// The writer belongs to the thread whose turn it is. An append that finds the turn free takes it
// and writes what waits, itself included; the others wait until it is done for them.
class Wal::Impl {
 public:
  Impl(std::string folder, WalOptions options, FileSystem& files, const Clock& clock,
       std::unique_ptr<WalWriter> writer, std::map<uint64_t, uint64_t> sizes)
      : folder_(std::move(folder)),
        files_(files),
        clock_(clock),
        writer_(std::move(writer)),
        options_(options),
        last_sync_ms_(clock.monotonic_ms()),
        segment_(writer_->segment()),
        sizes_(std::move(sizes)) {
    sizes_[segment_] = writer_->size();
  }

  Status append(std::string_view frames) EXCLUDES(mu_);
  Result<uint64_t> rotate() EXCLUDES(mu_);
  Status sync_if_due() EXCLUDES(mu_);
  Status sync_beside() EXCLUDES(mu_);
  Status sync() EXCLUDES(mu_);
  Status remove_before(uint64_t segment) EXCLUDES(mu_);
  bool sync_failed() const EXCLUDES(mu_);
  void forgive() EXCLUDES(mu_);
  uint64_t segment() const EXCLUDES(mu_);
  uint64_t bytes_since(uint64_t segment) const EXCLUDES(mu_);
  void set_options(WalOptions options) EXCLUDES(mu_);

 private:
  struct Waiting {
    WalAppend append;
    bool done = false;
    Status result;
  };

  WalOptions take_turn() EXCLUDES(mu_);
  void end_turn() REQUIRES(mu_);

  // Fixed after construction.
  const std::string folder_;
  FileSystem& files_;
  const Clock& clock_;
  const std::unique_ptr<WalWriter> writer_;  // what it points to: of the thread with the turn

  // Of the thread with the turn.
  std::vector<WalAppend> writing_;

  mutable Mutex mu_;
  CondVar turn_ended_;
  bool turn_taken_ GUARDED_BY(mu_) = false;
  size_t others_ GUARDED_BY(mu_) = 0;  // wait for the turn and go before appends
  std::vector<Waiting*> queue_ GUARDED_BY(mu_);
  WalOptions options_ GUARDED_BY(mu_);
  int64_t last_sync_ms_ GUARDED_BY(mu_);
  bool syncing_ GUARDED_BY(mu_) = false;  // by sync_if_due()
  // As the last turn left them.
  uint64_t segment_ GUARDED_BY(mu_);
  uint64_t rotated_to_ GUARDED_BY(mu_) = 0;  // by rotate()
  bool unsynced_ GUARDED_BY(mu_) = false;
  bool sync_failed_ GUARDED_BY(mu_) = false;
  std::map<uint64_t, uint64_t> sizes_ GUARDED_BY(mu_);  // by segment
};

WalOptions Wal::Impl::take_turn() {
  MutexLock lock(mu_);
  ++others_;
  while (turn_taken_) turn_ended_.wait(mu_);
  --others_;
  turn_taken_ = true;
  return options_;
}

void Wal::Impl::end_turn() {
  CHECK(turn_taken_);
  segment_ = writer_->segment();
  sizes_[segment_] = writer_->size();
  unsynced_ = writer_->unsynced();
  sync_failed_ = writer_->sync_failed();
  turn_taken_ = false;
  turn_ended_.notify_all();
}

Status Wal::Impl::append(std::string_view frames) {
  if (frames.empty()) return {};
  if (frames.size() > kWalMaxGroupBytes) {
    return fail(Code::kOutOfRange,
                fmt::format("write-ahead log: {} bytes at once, at most {} are possible",
                            frames.size(), kWalMaxGroupBytes));
  }
  const auto count = count_wal_frames(frames);
  CHECK(count);
  Waiting own{.append = {frames, *count}, .done = false, .result = {}};
  std::vector<Waiting*> led;
  WalOptions options;
  {
    MutexLock lock(mu_);
    queue_.push_back(&own);
    while (!own.done && (turn_taken_ || others_ > 0)) turn_ended_.wait(mu_);
    if (own.done) return std::move(own.result);
    turn_taken_ = true;
    led.swap(queue_);
    options = options_;
  }
  writing_.clear();
  for (const Waiting* waiting : led) writing_.push_back(waiting->append);
  Status result = writer_->write(writing_, options.sync_always, options.segment_bytes);

  MutexLock lock(mu_);
  for (Waiting* waiting : led) {
    waiting->result = result;
    waiting->done = true;
  }
  end_turn();
  return result;
}

Result<uint64_t> Wal::Impl::rotate() {
  const WalOptions options = take_turn();
  auto rotated = writer_->rotate(options.sync_always);
  MutexLock lock(mu_);
  end_turn();
  if (!rotated) return fail(std::move(rotated).error());
  rotated_to_ = segment_;
  return segment_;
}

Status Wal::Impl::sync_if_due() {
  const int64_t now_ms = clock_.monotonic_ms();
  {
    MutexLock lock(mu_);
    if (syncing_ || !unsynced_ || now_ms - last_sync_ms_ < options_.sync_interval_ms) return {};
    last_sync_ms_ = now_ms;
    syncing_ = true;
  }
  const Status synced = sync_beside();
  MutexLock lock(mu_);
  syncing_ = false;
  return synced;
}

// A disk takes its time to sync; appends go on meanwhile.
Status Wal::Impl::sync_beside() {
  take_turn();
  auto sync = writer_->begin_sync();
  {
    MutexLock lock(mu_);
    end_turn();
  }
  if (!sync) return fail(std::move(sync).error());
  Status outcome = writer_->run_sync(*sync);
  take_turn();
  outcome = writer_->end_sync(*sync, std::move(outcome));
  MutexLock lock(mu_);
  end_turn();
  return outcome;
}

Status Wal::Impl::sync() {
  take_turn();
  Status synced = writer_->sync();
  if (synced && writer_->in_doubt()) {
    synced = fail(Code::kUnavailable, "write-ahead log: an earlier sync failed");
  }
  MutexLock lock(mu_);
  last_sync_ms_ = clock_.monotonic_ms();
  end_turn();
  return synced;
}

// From the lowest number up: whatever stops it, no gap is left.
Status Wal::Impl::remove_before(uint64_t segment) {
  const uint64_t current = this->segment();
  TRY_ASSIGN(const auto segments, list_wal_segments(files_, folder_));
  bool removed_any = false;
  for (const uint64_t old : segments) {
    if (old >= segment || old >= current) break;
    const auto removed = files_.remove(wal_segment_path(folder_, old));
    if (!removed && removed.error().code != Code::kNotFound) {
      writer_->count_failure("remove");
      return fail(Error(removed.error()).with_context("write-ahead log"));
    }
    removed_any = true;
    MutexLock lock(mu_);
    sizes_.erase(old);
  }
  if (removed_any) TRY(files_.sync_dir(folder_));
  return {};
}

bool Wal::Impl::sync_failed() const {
  MutexLock lock(mu_);
  return sync_failed_;
}

void Wal::Impl::forgive() {
  take_turn();
  MutexLock lock(mu_);
  writer_->forgive_before(rotated_to_);
  end_turn();
}

uint64_t Wal::Impl::segment() const {
  MutexLock lock(mu_);
  return segment_;
}

uint64_t Wal::Impl::bytes_since(uint64_t segment) const {
  MutexLock lock(mu_);
  uint64_t bytes = 0;
  for (auto it = sizes_.lower_bound(segment); it != sizes_.end(); ++it) bytes += it->second;
  return bytes;
}

void Wal::Impl::set_options(WalOptions options) {
  MutexLock lock(mu_);
  options_ = options;
}

Wal::Wal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Wal::~Wal() = default;

Result<std::unique_ptr<Wal>> Wal::open(std::string folder, uint64_t first_segment,
                                       WalOptions options, FileSystem& files, const Clock& clock,
                                       Registry& registry) {
  CHECK(first_segment > 0);
  TRY(files.create_directories(folder));
  TRY_ASSIGN(const auto segments, list_wal_segments(files, folder));
  std::map<uint64_t, uint64_t> sizes;
  for (const uint64_t segment : segments) {
    if (segment >= first_segment) {
      return fail(Code::kAlreadyExists,
                  fmt::format("open the write-ahead log at segment {}: {} is there", first_segment,
                              wal_segment_path(folder, segment)));
    }
    TRY_ASSIGN(sizes[segment], wal_segment_size(files, folder, segment));
  }
  const auto previous = sizes.find(first_segment - 1);
  const uint64_t previous_bytes = previous == sizes.end() ? 0 : previous->second;
  TRY_ASSIGN(auto writer, WalWriter::open(folder, {options.format, first_segment, previous_bytes},
                                          files, clock, registry));
  return std::unique_ptr<Wal>(new Wal(std::make_unique<Impl>(
      std::move(folder), options, files, clock, std::move(writer), std::move(sizes))));
}

Status Wal::append(std::string_view frames) { return impl_->append(frames); }
Result<uint64_t> Wal::rotate() { return impl_->rotate(); }
Status Wal::sync_if_due() { return impl_->sync_if_due(); }
Status Wal::sync() { return impl_->sync(); }
Status Wal::remove_before(uint64_t segment) { return impl_->remove_before(segment); }
bool Wal::sync_failed() const { return impl_->sync_failed(); }
void Wal::forgive() { impl_->forgive(); }
uint64_t Wal::segment() const { return impl_->segment(); }
uint64_t Wal::bytes_since(uint64_t segment) const { return impl_->bytes_since(segment); }
void Wal::set_options(WalOptions options) { impl_->set_options(options); }

}  // namespace binnacle::store::metrics
