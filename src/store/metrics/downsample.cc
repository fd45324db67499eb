#include "store/metrics/downsample.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/check.h"
#include "model/labels.h"
#include "model/sample.h"

namespace binnacle::store::metrics {
namespace {

int64_t window_start(int64_t time_ms, int64_t resolution_ms) {
  const int64_t rest = time_ms % resolution_ms;
  return time_ms - rest - (rest < 0 ? resolution_ms : 0);
}

// All values of one window at once; which one is wanted is chosen at its end.
class Window {
 public:
  void begin() { *this = Window(previous_); }

  void add(double v) {
    count_ += 1;
    sum_ += v;
    last_ = v;
    if (std::isnan(v)) return;
    if (!(min_ <= v)) min_ = v;
    if (!(max_ >= v)) max_ = v;
    if (previous_) increase_ += v >= *previous_ ? v - *previous_ : v;
    previous_ = v;
  }

  double value(Aggregate aggregate) const {
    switch (aggregate) {
      case Aggregate::kCount:
        return count_;
      case Aggregate::kIncrease:
        return increase_;
      case Aggregate::kLast:
        return last_;
      case Aggregate::kMax:
        return max_;
      case Aggregate::kMin:
        return min_;
      case Aggregate::kSum:
        return sum_;
    }
    return 0;
  }
  bool empty() const { return count_ == 0; }

  Window() = default;

 private:
  explicit Window(std::optional<double> previous) : previous_(previous) {}

  double count_ = 0, sum_ = 0, last_ = 0, increase_ = 0;
  double min_ = std::nan(""), max_ = std::nan("");  // until a number comes
  std::optional<double> previous_;  // the sample before, of an earlier window at first
};

class TierWriter {
 public:
  TierWriter(const Block& raw, int64_t resolution_ms, BlockWriter& out, const MergeOptions& options)
      : raw_(raw),
        reader_(raw.reader()),
        resolution_ms_(resolution_ms),
        out_(out),
        options_(options) {}

  // A label that sorts before __aggregate__ puts its series before all others, in an order of
  // their own; such labels are rare, so these are sorted in memory.
  Status write() {
    TRY(find_early());
    for (const Early& early : early_) TRY(add(early.series, early.aggregate, early.labels));
    for (const Aggregate aggregate : kAggregates) {
      for (uint32_t series = 0; series < raw_.series_count(); ++series) {
        if (is_early_[series]) continue;
        model::LabelsView labels;
        TRY(reader_->labels(series, labels));
        TRY(add(series, aggregate, with(labels, aggregate)));
      }
    }
    return {};
  }

 private:
  struct Early {
    model::Labels labels;
    uint32_t series = 0;
    Aggregate aggregate = Aggregate::kCount;
  };

  static model::Labels with(model::LabelsView labels, Aggregate aggregate) {
    return model::LabelsBuilder(labels).set(kAggregateLabel, aggregate_name(aggregate)).build();
  }

  Status find_early() {
    is_early_.resize(raw_.series_count());
    for (uint32_t series = 0; series < raw_.series_count(); ++series) {
      model::LabelsView labels;
      TRY(reader_->labels(series, labels));
      if (labels.empty() || labels.begin()->name >= kAggregateLabel) continue;
      is_early_[series] = true;
      for (const Aggregate aggregate : kAggregates)
        early_.push_back({with(labels, aggregate), series, aggregate});
    }
    std::ranges::sort(early_, [](const Early& a, const Early& b) {
      return model::compare(a.labels, b.labels) < 0;
    });
    return {};
  }

  Status add(uint32_t series, Aggregate aggregate, const model::Labels& labels) {
    if (options_.cancelled && options_.cancelled())
      return fail(Code::kCancelled, "downsample a block: cancelled");
    BlockReader::Samples samples;
    TRY(reader_->read(series, INT64_MIN, INT64_MAX, samples));
    downsample(samples.times_ms, samples.values, resolution_ms_, aggregate, tier_times_,
               tier_values_);
    return tier_times_.empty() ? Status{} : out_.add(labels, tier_times_, tier_values_);
  }

  const Block& raw_;
  const std::unique_ptr<BlockReader> reader_;
  const int64_t resolution_ms_;
  BlockWriter& out_;
  const MergeOptions& options_;
  std::vector<Early> early_;
  std::vector<bool> is_early_;  // by series
  std::vector<int64_t> tier_times_;
  std::vector<double> tier_values_;
};

}  // namespace

std::string_view aggregate_name(Aggregate aggregate) {
  static constexpr std::string_view kNames[] = {"count", "increase", "last", "max", "min", "sum"};
  return kNames[static_cast<size_t>(aggregate)];
}

void downsample(std::span<const int64_t> times_ms, std::span<const double> values,
                int64_t resolution_ms, Aggregate aggregate, std::vector<int64_t>& out_times_ms,
                std::vector<double>& out_values) {
  CHECK(times_ms.size() == values.size() && resolution_ms > 0);
  out_times_ms.clear();
  out_values.clear();
  Window window;
  int64_t start = 0;
  const auto close = [&] {
    if (window.empty()) return;
    out_times_ms.push_back(start + resolution_ms - 1);
    out_values.push_back(window.value(aggregate));
  };
  for (size_t i = 0; i < times_ms.size(); ++i) {
    if (model::is_stale(values[i])) continue;
    if (const int64_t of = window_start(times_ms[i], resolution_ms);
        of != start || window.empty()) {
      close();
      window.begin();
      start = of;
    }
    window.add(values[i]);
  }
  close();
}

Result<BlockMeta> downsample_block(FileSystem& files, const std::string& blocks_folder,
                                   const Block& raw, int64_t resolution_ms, std::string ulid,
                                   const MergeOptions& options, std::vector<std::string> replaces) {
  CHECK(raw.meta().resolution_ms == 0);
  BlockMeta meta = raw.meta();
  meta.ulid = std::move(ulid);
  meta.parents = std::move(replaces);  // the raw block stays
  meta.resolution_ms = resolution_ms;
  meta.min_ms = window_start(meta.min_ms, resolution_ms);
  meta.max_ms = window_start(meta.max_ms - 1, resolution_ms) + resolution_ms;
  TRY_ASSIGN(const auto writer,
             BlockWriter::create(files, blocks_folder, std::move(meta), options.write));
  TRY(TierWriter(raw, resolution_ms, *writer, options).write());
  return writer->finish();
}

}  // namespace binnacle::store::metrics
