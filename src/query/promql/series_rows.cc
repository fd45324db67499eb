#include "query/promql/series_rows.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "base/thread_pool.h"
#include "query/promql/series_batch.h"

namespace binnacle::query::promql {
namespace {

// Fewer series are done before a helper has woken up.
constexpr uint64_t kAloneSeries = 512;
constexpr size_t kMostHelpers = 15;
// Batches that may wait for the query's thread: two for each helper.
constexpr uint64_t kAhead = 2;

// A reader that several threads take turns at. Shared by the rows and the helpers' work, which may
// come to its turn when the query is long over: then it finds `stopped_`.
class SharedReader {
 public:
  SharedReader(std::unique_ptr<SeriesReader> reader, RowMakerFactory factory, QueryMeter& meter,
               Annotations& annotations, uint64_t ahead)
      : meter_(meter),
        annotations_(annotations),
        factory_(std::move(factory)),
        ahead_(ahead),
        reader_(std::move(reader)) {}

  // The next batch in order; null at the end.
  Result<std::unique_ptr<SeriesBatch>> take(RowMaker& maker) EXCLUDES(read_mu_, mu_) {
    for (;;) {
      {
        MutexLock lock(mu_);
        if (auto batch = take_ready()) return std::move(*batch);
        if (taken_ == total_) return nullptr;
        // A helper has the one that is wanted, and is late with it.
        while (ready_.size() > 2 * ahead_ && !ready_.contains(taken_)) changed_.wait(mu_);
      }
      if (read_one(maker)) continue;
      MutexLock lock(mu_);
      while (!ready_.contains(taken_) && taken_ != total_) changed_.wait(mu_);
    }
  }

  void help() EXCLUDES(read_mu_, mu_) {
    {
      MutexLock lock(mu_);
      if (stopped_) return;
      ++helping_;
    }
    Annotations notes(annotations_.query());
    {
      const auto maker = factory_(notes);
      while (wait_for_room() && read_one(*maker)) {
      }
    }
    MutexLock lock(mu_);
    notes_.push_back(std::move(notes));
    --helping_;
    changed_.notify_all();
  }

  // By the query's thread; no helper touches the query after it.
  void stop() EXCLUDES(read_mu_, mu_) {
    {
      MutexLock lock(mu_);
      stopped_ = true;
      changed_.notify_all();
      while (helping_ > 0) changed_.wait(mu_);
      for (const Annotations& notes : notes_) annotations_.merge(notes);
    }
    MutexLock lock(read_mu_);
    reader_.reset();
  }

 private:
  using Made = Result<std::unique_ptr<SeriesBatch>>;

  std::optional<Made> take_ready() REQUIRES(mu_) {
    const auto it = ready_.find(taken_);
    if (it == ready_.end()) return std::nullopt;
    Made batch = std::move(it->second);
    ready_.erase(it);
    ++taken_;
    changed_.notify_all();
    return batch;
  }

  // False when the query is over.
  bool wait_for_room() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    while (!stopped_ && ready_.size() >= ahead_) changed_.wait(mu_);
    return !stopped_;
  }

  // Reads a batch and makes its rows. False when nothing was left to read.
  bool read_one(RowMaker& maker) EXCLUDES(read_mu_, mu_) {
    auto batch = std::make_unique<SeriesBatch>();
    uint64_t number = 0;
    Status done;
    {
      MutexLock lock(read_mu_);
      if (read_all_) return false;
      number = next_++;
      const Result<bool> more = batch->read(*reader_);
      if (!more) done = fail(more.error());
      read_all_ = !more || !*more;
      if (read_all_) end_at(next_);
    }
    if (done) done = batch->make_rows(maker);
    if (done) done = meter_.charge_bytes(batch->bytes());
    MutexLock lock(mu_);
    ready_.emplace(number, done ? Made(std::move(batch)) : Made(fail(std::move(done).error())));
    changed_.notify_all();
    return true;
  }

  void end_at(uint64_t total) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    total_ = total;
  }

  // Fixed after construction; what they refer to goes when stop() has returned.
  QueryMeter& meter_;
  Annotations& annotations_;  // written by the query's thread alone
  const RowMakerFactory factory_;
  const uint64_t ahead_;

  Mutex read_mu_;  // taken before mu_
  std::unique_ptr<SeriesReader> reader_ GUARDED_BY(read_mu_);
  uint64_t next_ GUARDED_BY(read_mu_) = 0;
  bool read_all_ GUARDED_BY(read_mu_) = false;

  Mutex mu_;
  CondVar changed_;
  std::map<uint64_t, Made> ready_ GUARDED_BY(mu_);  // by number
  uint64_t taken_ GUARDED_BY(mu_) = 0;
  uint64_t total_ GUARDED_BY(mu_) = UINT64_MAX;
  size_t helping_ GUARDED_BY(mu_) = 0;
  std::vector<Annotations> notes_ GUARDED_BY(mu_);  // of helpers that are done
  bool stopped_ GUARDED_BY(mu_) = false;
};

class SeriesRows final : public RowSource {
 public:
  SeriesRows(std::unique_ptr<SeriesReader> reader, RowMakerFactory factory, EvalContext& context)
      : context_(context),
        factory_(std::move(factory)),
        maker_(factory_(context.annotations)),
        reader_(std::move(reader)) {}
  ~SeriesRows() override {
    if (shared_ != nullptr) shared_->stop();
    if (batch_ != nullptr) context_.meter.release_bytes(batch_->bytes());
  }

  Result<bool> next(Row& out) override {
    if (shared_ == nullptr && alone_ >= kAloneSeries && has_helpers()) share();
    return shared_ == nullptr ? next_alone(out) : next_shared(out);
  }

 private:
  Result<bool> next_alone(Row& out) {
    model::SeriesColumns columns;
    for (;;) {
      TRY_ASSIGN(const bool more, reader_->next(columns));
      if (!more) return false;
      ++alone_;
      TRY_ASSIGN(const bool any, maker_->make(columns, out));
      if (any) return true;
    }
  }

  bool has_helpers() const {
    return context_.helpers != nullptr && context_.helpers->threads() > 0;
  }

  void share() {
    const size_t helpers = std::min(kMostHelpers, context_.helpers->threads());
    shared_ = std::make_shared<SharedReader>(std::move(reader_), factory_, context_.meter,
                                             context_.annotations, kAhead * helpers);
    // Helpers that are busy, or too many asked for already, are done without.
    for (size_t i = 0; i < helpers; ++i) {
      if (!context_.helpers->post([shared = shared_] { shared->help(); })) break;
    }
  }

  Result<bool> next_shared(Row& out) {
    while (batch_ == nullptr || at_ == batch_->row_count()) {
      if (batch_ != nullptr) context_.meter.release_bytes(batch_->bytes());
      batch_.reset();
      TRY_ASSIGN(batch_, shared_->take(*maker_));
      if (batch_ == nullptr) return false;
      at_ = 0;
    }
    out = batch_->row(at_++);
    return true;
  }

  EvalContext& context_;
  const RowMakerFactory factory_;
  const std::unique_ptr<RowMaker> maker_;
  std::unique_ptr<SeriesReader> reader_;  // null once it is shared
  uint64_t alone_ = 0;                    // series read until then
  std::shared_ptr<SharedReader> shared_;  // with the helpers' work
  std::unique_ptr<SeriesBatch> batch_;
  size_t at_ = 0;
};

}  // namespace

RowSourcePtr series_rows(std::unique_ptr<SeriesReader> reader, RowMakerFactory factory,
                         EvalContext& context) {
  return std::make_unique<SeriesRows>(std::move(reader), std::move(factory), context);
}

}  // namespace binnacle::query::promql
