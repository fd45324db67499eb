// Samples on disk on their way to a receiver: a folder of segments, bounded in bytes, appended at
// one end, read and acknowledged at the other. What append() took in survives kill -9; with sync()
// a power cut. What was acknowledged is not read again, but for what the last moments before a
// crash acknowledged: a receiver sees each sample at least once. When it is full, the oldest
// segment goes and is told as a gap. Any thread may append; one thread at a time reads. One folder,
// one process. Format: docs/formats/queue.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "model/appender.h"
#include "model/labels.h"

namespace binnacle::collect::ship {

// Samples that never reach the receiver. Times are of the samples, both included.
struct Gap {
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  uint64_t samples = 0;  // at most: some may have been on their way
  std::string reason;    // "queue_full", "damaged"
};

struct QueueOptions {
  std::string name;  // of the destination, in instruments and log lines
  uint64_t max_bytes = uint64_t{512} << 20;
  uint64_t segment_bytes = uint64_t{16} << 20;  // a segment ends at the first append beyond
  std::function<void(const Gap&)> on_gap;       // from the thread that found it; must not block
};

// Appends the packed labels of a series to `packed`; false when nobody knows that ref.
using LabelsOfRef = std::function<bool(model::SeriesRef ref, std::string& packed)>;

// One sample as read. Series are numbered from 0 in each segment.
struct QueuedSample {
  uint32_t series = 0;
  model::Sample sample;
};

// A place between two appends.
struct QueueMark {
  uint64_t segment = 0;
  uint64_t offset = 0;
  uint64_t samples = 0;  // of the segment before it
  friend bool operator<(const QueueMark& a, const QueueMark& b) {
    return std::pair(a.segment, a.offset) < std::pair(b.segment, b.offset);
  }
};

// What one read() brought; the object is used again and keeps its memory.
struct QueueChunk {
  // The chunk is of another segment than the one before, or was read again: known series count no
  // more.
  bool new_segment = false;
  uint32_t first_new_series = 0;        // the number of new_series[0]
  std::vector<std::string> new_series;  // packed labels
  std::vector<QueuedSample> samples;
  int64_t min_ms = 0;  // of the samples
  QueueMark begin;
  QueueMark end;
};

class SampleQueue {
 public:
  // Goes on where the folder's last owner ended, and makes the folder where there is none. A torn
  // end is cut off, a damaged segment is left out and told as a gap. kAlreadyExists: another
  // process has it. Registers binnacle_ship_queue_*. `files` and `registry` outlive it.
  static Result<std::unique_ptr<SampleQueue>> open(std::string folder, QueueOptions options,
                                                   FileSystem& files, Registry& registry);
  ~SampleQueue();
  SampleQueue(const SampleQueue&) = delete;
  SampleQueue& operator=(const SampleQueue&) = delete;

  // All or, after an error, perhaps the first of them (kResourceExhausted: no room on the disk even
  // without the older segments; kUnavailable). `labels_of` is asked once a segment for each ref,
  // under the queue's lock; samples of a ref that it does not know are counted and left out.
  Status append(std::span<const model::KnownSample> samples, const LabelsOfRef& labels_of);
  // Makes what was appended durable against power loss.
  Status sync();

  // The oldest samples not read yet, in the order of appending: whole appends until there are
  // `max_samples` or the segment ends. False: there are none. A damaged rest of a segment is
  // skipped and told as a gap. After an error what is not acknowledged is read again. A chunk that
  // begins before `border` does not go beyond it.
  Result<bool> read(size_t max_samples, QueueChunk& chunk, const QueueMark& border = {});
  // All up to the end of `chunk` has arrived, or will never be sent. What begins at `keep` stays
  // for a rewind(), also of the next owner.
  void acknowledge(const QueueChunk& chunk);
  void acknowledge(const QueueChunk& chunk, const QueueMark& keep);
  // What was read from there on is read again, as far as it is still there.
  void rewind(const QueueMark& to);
  // What was acknowledged, by the last owner too, and from where on it is kept.
  struct Kept {
    QueueMark from;
    QueueMark to;
  };
  Kept kept() const;
  // A new reader begins: with what is not acknowledged.
  void begin_reading();
  // Waits until there are so many samples to read, something was appended, or the time is over;
  // true when there are as many.
  bool wait_ms(int64_t ms, uint64_t samples = 1);
  // Ends the wait of another thread, or else the next one.
  void interrupt();

  uint64_t bytes() const;            // on disk
  uint64_t pending_samples() const;  // appended and not acknowledged
  uint64_t unread_samples() const;
  uint64_t appended_samples() const;           // since open()
  std::optional<int64_t> oldest_time() const;  // of what is not acknowledged, by sample time
  std::vector<Gap> gaps() const;               // the latest 64 since open()

 private:
  struct Parts;
  explicit SampleQueue(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace binnacle::collect::ship
