#include "collect/ship/sample_queue.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/kill_points.h"
#include "base/log.h"
#include "base/mutex.h"
#include "collect/ship/queue_folder.h"
#include "collect/ship/queue_reader.h"
#include "collect/ship/queue_writer.h"
#include "collect/ship/ship_instruments.h"

namespace binnacle::collect::ship {
namespace {

constexpr size_t kKeptGaps = 64;
constexpr uint64_t kFewestSegments = 8;  // so that a full queue loses little at once
constexpr uint64_t kSmallestQueue = uint64_t{64} << 10;
constexpr uint64_t kCursorFileBytes = 1024 * kCursorRecordBytes;

}  // namespace

// Three locks: `writing` for the file at the end, `reading` for the place of the reader, `mu` for
// what both share; `mu` is taken last and held for no disk access.
struct SampleQueue::Parts {
  Parts(std::string where, QueueOptions opts, FileSystem& fs, Registry& registry)
      : folder(std::move(where)),
        options(std::move(opts)),
        files(fs),
        instruments(registry, options.name),
        writer(folder, files),
        reader(folder, files) {}

  // Fixed after construction.
  const std::string folder;
  const QueueOptions options;
  FileSystem& files;
  QueueInstruments instruments;
  const Log log{"ship"};
  std::unique_ptr<FileLock> lock;

  Mutex writing;
  QueueWriter writer GUARDED_BY(writing);
  uint64_t next_segment GUARDED_BY(writing) = 1;
  bool failing GUARDED_BY(writing) = false;  // the last append

  Mutex reading;
  QueueReader reader GUARDED_BY(reading);
  QueuePlace restart GUARDED_BY(reading);  // nothing is read again before

  mutable Mutex acknowledging;
  std::unique_ptr<WritableFile> cursor_file GUARDED_BY(acknowledging);
  Kept kept GUARDED_BY(acknowledging);

  mutable Mutex mu;
  CondVar changed;
  std::deque<QueueSegment> segments GUARDED_BY(mu);
  std::vector<Gap> gaps GUARDED_BY(mu);
  bool interrupted GUARDED_BY(mu) = false;
  std::atomic<uint64_t> appended = 0;

  Status start();
  void tell(Gap gap) EXCLUDES(mu);

  // Writing.
  Status append_frame(std::span<const model::KnownSample>& samples, const LabelsOfRef& labels_of)
      REQUIRES(writing);
  void note_failed_append(Gap gap) REQUIRES(writing) EXCLUDES(mu);
  Status begin_segment() REQUIRES(writing);
  void note_appended(const QueueFrame& frame) REQUIRES(writing);
  bool make_room(uint64_t most) REQUIRES(writing) EXCLUDES(mu);
  bool drop_oldest() REQUIRES(writing) EXCLUDES(mu);
  bool is_damaged(uint64_t segment) EXCLUDES(mu);
  uint64_t segment_bytes() const;

  // Reading.
  struct Turn {
    uint64_t segment = 0;  // 0: nothing to read
    uint64_t from = 0;     // where to begin in a segment that is not being read yet
    uint64_t end = 0;
  };
  Turn next_turn() REQUIRES(reading) EXCLUDES(mu);
  void skip_damage(const Turn& turn, const Error& why) REQUIRES(reading) EXCLUDES(mu);
  void read_unacknowledged_again() REQUIRES(reading) EXCLUDES(mu);
  uint64_t note_read(uint64_t segment, uint64_t samples) EXCLUDES(mu);
  QueueSegment* find(uint64_t number) REQUIRES(mu);
  std::vector<uint64_t> settle(const QueueChunk& chunk, const QueueMark& keep) EXCLUDES(mu);
  Status write_cursor() REQUIRES(acknowledging);

  uint64_t bytes_held() const REQUIRES(mu);
  uint64_t pending_held() const REQUIRES(mu);
  uint64_t unread_held() const REQUIRES(mu);
  void show() REQUIRES(mu);
};

// --- opening ---

Status SampleQueue::Parts::start() {
  TRY(files.create_directories(folder));
  TRY_ASSIGN(lock, files.lock(folder + "/lock"));
  TRY_ASSIGN(QueueContent content, recover_queue_folder(files, folder));
  {
    const QueuePlace& until = content.cursor.acknowledged;
    const MutexLock held(acknowledging);
    kept = {content.kept, {until.segment, until.offset, 0}};
  }
  instruments.torn_bytes.add(static_cast<double>(content.torn_bytes));
  {
    const MutexLock held(writing);
    next_segment = content.next_segment;
  }
  {
    const MutexLock held(mu);
    segments.assign(content.segments.begin(), content.segments.end());
    show();
  }
  for (Gap& gap : content.gaps) tell(std::move(gap));
  const MutexLock held(writing);
  return begin_segment();
}

Result<std::unique_ptr<SampleQueue>> SampleQueue::open(std::string folder, QueueOptions options,
                                                       FileSystem& files, Registry& registry) {
  if (options.max_bytes < kSmallestQueue) {
    return fail(Code::kInvalidArgument,
                fmt::format("queue {}: max_bytes is {}, at least {} are needed", options.name,
                            options.max_bytes, kSmallestQueue));
  }
  auto parts = std::make_unique<Parts>(std::move(folder), std::move(options), files, registry);
  if (Status started = parts->start(); !started)
    return fail(std::move(started).error().with_context("queue " + parts->options.name));
  return std::unique_ptr<SampleQueue>(new SampleQueue(std::move(parts)));
}

SampleQueue::SampleQueue(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SampleQueue::~SampleQueue() { (void)sync(); }

void SampleQueue::Parts::tell(Gap gap) {
  (gap.reason == "queue_full" ? instruments.gaps_full
   : gap.reason == "damaged"  ? instruments.gaps_damaged
                              : instruments.gaps_error)
      .add();
  log.warn("samples lost on their way to a receiver", {{"destination", options.name},
                                                       {"reason", gap.reason},
                                                       {"from", format_rfc3339(gap.from_ms)},
                                                       {"to", format_rfc3339(gap.to_ms)},
                                                       {"samples", gap.samples}});
  if (options.on_gap) options.on_gap(gap);
  const MutexLock held(mu);
  if (gaps.size() == kKeptGaps) gaps.erase(gaps.begin());
  gaps.push_back(std::move(gap));
}

// --- appending ---

Status SampleQueue::append(std::span<const model::KnownSample> samples,
                           const LabelsOfRef& labels_of) {
  Parts& parts = *parts_;
  const MutexLock held(parts.writing);
  while (!samples.empty()) {
    std::span<const model::KnownSample> rest = samples;
    Status appended = parts.append_frame(rest, labels_of);
    // A full disk: the oldest samples make room for these.
    while (!appended && appended.error().code == Code::kResourceExhausted && parts.drop_oldest()) {
      rest = samples;
      appended = parts.append_frame(rest, labels_of);
    }
    if (!appended) {
      const auto [from, to] = std::ranges::minmax_element(
          samples, {}, [](const model::KnownSample& s) { return s.sample.timestamp_ms; });
      parts.instruments.queue_error.add(static_cast<double>(samples.size()));
      parts.note_failed_append(
          {from->sample.timestamp_ms, to->sample.timestamp_ms, samples.size(), "queue_error"});
      return fail(std::move(appended).error().with_context("queue " + parts.options.name));
    }
    samples = rest;
    parts.failing = false;
  }
  return {};
}

// Appends that fail in a row are one gap, told when it begins.
void SampleQueue::Parts::note_failed_append(Gap gap) {
  if (!std::exchange(failing, true)) return tell(std::move(gap));
  const MutexLock held(mu);
  Gap& last = gaps.back();
  if (last.reason != gap.reason) return;
  last.from_ms = std::min(last.from_ms, gap.from_ms);
  last.to_ms = std::max(last.to_ms, gap.to_ms);
  last.samples += gap.samples;
}

Status SampleQueue::Parts::append_frame(std::span<const model::KnownSample>& samples,
                                        const LabelsOfRef& labels_of) {
  const uint64_t most = segment_bytes();
  // Labels are written anew in each segment: where they are many, segments are longer.
  const uint64_t wanted = std::min(std::max(options.segment_bytes, 4 * writer.label_bytes()), most);
  if (!writer.is_open() || writer.bytes() >= wanted || is_damaged(writer.segment()))
    TRY(begin_segment());
  uint64_t left_out = 0;
  auto frame = writer.append(samples, labels_of, left_out);
  if (left_out > 0) instruments.unknown_series.add(static_cast<double>(left_out));
  if (!frame) {
    instruments.errors.add();
    writer.abandon();
    return fail(std::move(frame).error());
  }
  kill_point("ship.appended");
  if (frame->samples > 0) note_appended(*frame);
  make_room(options.max_bytes);
  return {};
}

uint64_t SampleQueue::Parts::segment_bytes() const { return options.max_bytes / kFewestSegments; }

Status SampleQueue::Parts::begin_segment() {
  const uint64_t number = next_segment++;
  if (Status begun = writer.begin(number); !begun) {
    instruments.errors.add();
    (void)files.remove(queue_segment_path(folder, number));
    return begun;
  }
  const MutexLock held(mu);
  QueueSegment& segment = segments.emplace_back();
  segment.number = number;
  show();
  return {};
}

void SampleQueue::Parts::note_appended(const QueueFrame& frame) {
  instruments.appended.add(frame.samples);
  appended += frame.samples;
  const MutexLock held(mu);
  QueueSegment& segment = segments.back();
  segment.bytes = writer.bytes();
  segment.samples += frame.samples;
  segment.min_ms = std::min(segment.min_ms, frame.min_ms);
  segment.max_ms = std::max(segment.max_ms, frame.max_ms);
  show();
  changed.notify_all();
}

bool SampleQueue::Parts::is_damaged(uint64_t number) {
  const MutexLock held(mu);
  const QueueSegment* segment = find(number);
  return segment != nullptr && segment->damaged;
}

bool SampleQueue::Parts::make_room(uint64_t most) {
  while (true) {
    {
      const MutexLock held(mu);
      if (bytes_held() <= most) return true;
    }
    if (!drop_oldest()) return false;
  }
}

// The oldest segment goes, unless it is the one being written.
bool SampleQueue::Parts::drop_oldest() {
  QueueSegment gone;
  {
    const MutexLock held(mu);
    if (segments.empty()) return false;
    if (writer.is_open() && segments.front().number == writer.segment()) return false;
    gone = segments.front();
    segments.pop_front();
    show();
  }
  (void)files.remove(queue_segment_path(folder, gone.number));
  const uint64_t lost = gone.samples - gone.acknowledged_samples;
  if (lost == 0) return true;
  instruments.queue_full.add(static_cast<double>(lost));
  tell({gone.min_ms, gone.max_ms, lost, "queue_full"});
  return true;
}

Status SampleQueue::sync() {
  const MutexLock held(parts_->writing);
  Status synced = parts_->writer.sync();
  if (synced) return synced;
  // What it should have saved may be lost although a later sync succeeds: nothing follows it.
  parts_->instruments.errors.add();
  parts_->writer.abandon();
  return synced;
}

// --- reading ---

SampleQueue::Parts::Turn SampleQueue::Parts::next_turn() {
  const MutexLock held(mu);
  for (const QueueSegment& segment : segments) {
    if (segment.number < reader.segment() || segment.damaged) continue;
    if (segment.number < restart.segment) continue;
    uint64_t from = segment.acknowledged;
    if (restart.segment != 0)
      from = segment.number == restart.segment ? restart.offset : kQueueHeaderBytes;
    if (segment.number == reader.segment()) from = reader.offset();
    if (from < segment.bytes) return {segment.number, from, segment.bytes};
  }
  return {};
}

Result<bool> SampleQueue::read(size_t max_samples, QueueChunk& chunk, const QueueMark& border) {
  Parts& parts = *parts_;
  const MutexLock held(parts.reading);
  while (true) {
    chunk.new_series.clear();
    chunk.samples.clear();
    Parts::Turn turn = parts.next_turn();
    if (turn.segment == 0) return false;
    if (turn.segment == border.segment && turn.from < border.offset)
      turn.end = std::min(turn.end, border.offset);
    chunk.new_segment = turn.segment != parts.reader.segment();
    Status status;
    if (chunk.new_segment) status = parts.reader.go_to(turn.segment, turn.from, chunk);
    chunk.first_new_series = chunk.new_segment ? 0 : parts.reader.series();
    if (status) status = parts.reader.read(turn.end, max_samples, chunk);
    if (!status) {
      parts.instruments.errors.add();
      if (status.error().code != Code::kDataLoss && status.error().code != Code::kNotFound) {
        parts.read_unacknowledged_again();
        return fail(std::move(status).error().with_context("queue " + parts.options.name));
      }
      parts.skip_damage(turn, status.error());
    }
    if (chunk.samples.empty()) continue;
    const uint64_t count = chunk.samples.size();
    chunk.min_ms = std::ranges::min(chunk.samples, {}, [](const QueuedSample& s) {
                     return s.sample.timestamp_ms;
                   }).sample.timestamp_ms;
    const uint64_t before = parts.note_read(turn.segment, count);
    chunk.begin = {turn.segment, turn.from, before};
    chunk.end = {turn.segment, parts.reader.offset(), before + count};
    return true;
  }
}

// The rest of the segment cannot be told apart any more.
void SampleQueue::Parts::skip_damage(const Turn& turn, const Error& why) {
  reader.skip_to(turn.end);
  Gap gap{.reason = "damaged"};
  {
    const MutexLock held(mu);
    QueueSegment* segment = find(turn.segment);
    if (segment == nullptr) return;  // dropped meanwhile, and told
    segment->damaged = true;
    gap.from_ms = segment->min_ms;
    gap.to_ms = segment->max_ms;
    gap.samples = segment->samples - segment->read_samples;
    segment->read_samples = segment->samples;
  }
  log.error("a segment of a queue is damaged",
            {{"destination", options.name}, {"error", why.message}});
  tell(std::move(gap));
}

uint64_t SampleQueue::Parts::note_read(uint64_t number, uint64_t samples) {
  const MutexLock held(mu);
  QueueSegment* segment = find(number);
  if (segment == nullptr) return 0;
  const uint64_t before = segment->read_samples;
  segment->read_samples += samples;
  return before;
}

// After a failed read nobody knows which series the caller was told of: what is not acknowledged is
// read again.
void SampleQueue::Parts::read_unacknowledged_again() {
  reader = QueueReader(folder, files);
  restart = {};
  const MutexLock held(mu);
  for (QueueSegment& segment : segments) {
    if (!segment.damaged) segment.read_samples = segment.acknowledged_samples;
  }
}

void SampleQueue::rewind(const QueueMark& to) {
  Parts& parts = *parts_;
  const MutexLock held(parts.reading);
  parts.reader = QueueReader(parts.folder, parts.files);
  parts.restart = {to.segment, to.offset};
  const MutexLock shared(parts.mu);
  for (QueueSegment& segment : parts.segments) {
    if (segment.damaged || segment.number < to.segment) continue;
    segment.read_samples = segment.number == to.segment ? to.samples : 0;
  }
}

QueueSegment* SampleQueue::Parts::find(uint64_t number) {
  const auto found = std::ranges::find(segments, number, &QueueSegment::number);
  return found == segments.end() ? nullptr : &*found;
}

void SampleQueue::acknowledge(const QueueChunk& chunk) { acknowledge(chunk, chunk.end); }

void SampleQueue::acknowledge(const QueueChunk& chunk, const QueueMark& keep) {
  Parts& parts = *parts_;
  const MutexLock held(parts.acknowledging);
  if (parts.kept.to < chunk.end) parts.kept.to = chunk.end;
  parts.kept.from = keep < parts.kept.to ? keep : parts.kept.to;
  if (const Status written = parts.write_cursor(); !written) {
    parts.instruments.errors.add();
    parts.log.warn("a queue's cursor cannot be written; a restart sends samples again",
                   {{"destination", parts.options.name}, {"error", written.error().message}});
  }
  for (const uint64_t number : parts.settle(chunk, keep))
    (void)parts.files.remove(queue_segment_path(parts.folder, number));
}

// Takes out the segments that nobody needs any more.
std::vector<uint64_t> SampleQueue::Parts::settle(const QueueChunk& chunk, const QueueMark& keep) {
  const MutexLock held(mu);
  for (QueueSegment& segment : segments) {
    if (segment.number > chunk.end.segment) break;
    const bool here = segment.number == chunk.end.segment;
    if (here && chunk.end.offset <= segment.acknowledged) break;  // read for a second time
    segment.acknowledged = here ? chunk.end.offset : segment.bytes;
    segment.acknowledged_samples = here ? chunk.end.samples : segment.samples;
    segment.min_ms = segment.acknowledged < segment.bytes ? chunk.min_ms : INT64_MAX;
  }
  std::vector<uint64_t> done;
  while (segments.size() > 1) {  // the last one is being written
    const QueueSegment& segment = segments.front();
    if (segment.number > chunk.end.segment) break;
    const bool wanted = segment.number == keep.segment ? keep.offset < segment.bytes
                                                       : segment.number > keep.segment;
    if (wanted) break;
    if (segment.acknowledged < segment.bytes) break;
    done.push_back(segment.number);
    segments.pop_front();
  }
  show();
  return done;
}

// Records are appended until the file is long enough to be made anew with one.
Status SampleQueue::Parts::write_cursor() {
  const std::string record =
      cursor_record({{kept.to.segment, kept.to.offset}, {kept.from.segment, kept.from.offset}});
  const std::string path = queue_cursor_path(folder);
  if (cursor_file == nullptr || cursor_file->size() >= kCursorFileBytes) {
    cursor_file = nullptr;
    TRY(files.write_file_atomically(path, record));
    TRY_ASSIGN(cursor_file, files.open_writable(path, FileSystem::Create::kAppend));
    return {};
  }
  Status written = cursor_file->append(record);
  if (!written) cursor_file = nullptr;  // made anew: half a record would shift the next ones
  return written;
}

bool SampleQueue::wait_ms(int64_t ms, uint64_t samples) {
  const MutexLock held(parts_->mu);
  if (parts_->unread_held() < samples && !parts_->interrupted)
    parts_->changed.wait_for_ms(parts_->mu, ms);
  parts_->interrupted = false;
  return parts_->unread_held() >= samples;
}

void SampleQueue::interrupt() {
  const MutexLock held(parts_->mu);
  parts_->interrupted = true;
  parts_->changed.notify_all();
}

// --- figures ---

uint64_t SampleQueue::Parts::bytes_held() const {
  uint64_t sum = 0;
  for (const QueueSegment& segment : segments) sum += segment.bytes;
  return sum;
}

uint64_t SampleQueue::Parts::pending_held() const {
  uint64_t sum = 0;
  for (const QueueSegment& segment : segments)
    sum += segment.samples - segment.acknowledged_samples;
  return sum;
}

uint64_t SampleQueue::Parts::unread_held() const {
  uint64_t sum = 0;
  for (const QueueSegment& segment : segments) sum += segment.samples - segment.read_samples;
  return sum;
}

void SampleQueue::Parts::show() {
  instruments.bytes.set(static_cast<double>(bytes_held()));
  instruments.pending.set(static_cast<double>(pending_held()));
}

uint64_t SampleQueue::bytes() const {
  const MutexLock held(parts_->mu);
  return parts_->bytes_held();
}

uint64_t SampleQueue::pending_samples() const {
  const MutexLock held(parts_->mu);
  return parts_->pending_held();
}

uint64_t SampleQueue::unread_samples() const {
  const MutexLock held(parts_->mu);
  return parts_->unread_held();
}

uint64_t SampleQueue::appended_samples() const { return parts_->appended; }

std::optional<int64_t> SampleQueue::oldest_time() const {
  const MutexLock held(parts_->mu);
  for (const QueueSegment& segment : parts_->segments) {
    if (segment.samples > segment.acknowledged_samples) return segment.min_ms;
  }
  return std::nullopt;
}

SampleQueue::Kept SampleQueue::kept() const {
  const MutexLock held(parts_->acknowledging);
  return parts_->kept;
}

void SampleQueue::begin_reading() {
  const MutexLock held(parts_->reading);
  parts_->read_unacknowledged_again();
}

std::vector<Gap> SampleQueue::gaps() const {
  const MutexLock held(parts_->mu);
  return parts_->gaps;
}

}  // namespace binnacle::collect::ship
