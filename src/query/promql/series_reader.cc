#include "query/promql/series_reader.h"

#include <algorithm>

#include "base/check.h"

namespace binnacle::query::promql {
namespace {

constexpr size_t kAllocations = 48;  // what those of a held series cost beside their bytes

class StreamReader final : public SeriesReader {
 public:
  StreamReader(std::unique_ptr<model::Querier> querier, std::unique_ptr<model::SeriesSet> set,
               QueryMeter& meter)
      : querier_(std::move(querier)), set_(std::move(set)), meter_(meter) {}

  Result<bool> next(model::SeriesColumns& out) override {
    if (!set_->next(out)) {
      TRY(set_->status());
      return false;
    }
    CHECK(out.timestamps_ms.size() == out.values.size());
    TRY(meter_.charge_series(1));
    TRY(meter_.charge_samples(out.values.size()));
    return true;
  }

 private:
  const std::unique_ptr<model::Querier> querier_;  // the set reads through it
  const std::unique_ptr<model::SeriesSet> set_;
  QueryMeter& meter_;
};

}  // namespace

struct SeriesReads::Held {
  struct Series {
    model::Labels labels;
    size_t times = 0;  // in `times_ms`
    std::vector<double> values;
  };
  std::vector<std::vector<int64_t>> times_ms;  // each column once, where the store says so
  std::vector<Series> series;
};

SeriesReads::SeriesReads(model::Queryable& store, const QueryPlan& plan, QueryMeter& meter)
    : store_(store), plan_(plan), meter_(meter), held_(plan.reads().size()) {}
SeriesReads::~SeriesReads() = default;

class SeriesReads::HeldReader final : public SeriesReader {
 public:
  explicit HeldReader(const Held& held) : held_(held) {}

  Result<bool> next(model::SeriesColumns& out) override {
    if (at_ == held_.series.size()) return false;
    const auto& series = held_.series[at_++];
    out = {series.labels.view(), held_.times_ms[series.times], series.values, series.times + 1};
    return true;
  }

 private:
  const Held& held_;
  size_t at_ = 0;
};

Result<std::unique_ptr<SeriesReader>> SeriesReads::open(size_t read) {
  const ReadPlan& plan = plan_.reads()[read];
  if (plan.uses < 2) return stream(plan);
  if (held_[read] == nullptr) {
    auto held = std::make_unique<Held>();
    TRY(hold(plan, *held));
    held_[read] = std::move(held);
  }
  return std::make_unique<HeldReader>(*held_[read]);
}

Result<std::unique_ptr<SeriesReader>> SeriesReads::stream(const ReadPlan& read) {
  TRY_ASSIGN(auto querier, store_.querier(read.min_ms, read.max_ms));
  querier->charge_to(meter_);
  model::SelectHints hints;
  hints.start_ms = read.min_ms;
  hints.end_ms = read.max_ms;
  hints.step_ms = plan_.query_steps().step_ms;
  hints.range_ms = read.range_ms;
  hints.function = read.function;
  hints.any_order = read.any_order;
  hints.labels = read.labels;
  hints.newest_only = read.newest_only;
  hints.newest_at = read.newest_at;
  hints.any_number = read.any_number;
  TRY_ASSIGN(auto set, querier->select(read.matchers, hints));
  for (std::string& warning : querier->warnings()) {
    if (std::ranges::find(warnings_, warning) == warnings_.end())
      warnings_.push_back(std::move(warning));
  }
  return std::make_unique<StreamReader>(std::move(querier), std::move(set), meter_);
}

Status SeriesReads::hold(const ReadPlan& read, Held& held) {
  TRY_ASSIGN(const auto reader, stream(read));
  model::SeriesColumns columns;
  uint64_t last_id = 0;
  for (;;) {
    TRY_ASSIGN(const bool more, reader->next(columns));
    if (!more) return {};
    size_t bytes = sizeof(Held::Series) + columns.labels.packed().size() +
                   columns.values.size_bytes() + kAllocations;
    if (columns.timestamps_id == 0 || columns.timestamps_id != last_id) {
      held.times_ms.emplace_back(columns.timestamps_ms.begin(), columns.timestamps_ms.end());
      bytes += sizeof(held.times_ms.front()) + columns.timestamps_ms.size_bytes();
      last_id = columns.timestamps_id;
    }
    TRY(meter_.charge_bytes(bytes));
    held.series.push_back({model::Labels(columns.labels),
                           held.times_ms.size() - 1,
                           {columns.values.begin(), columns.values.end()}});
  }
}

}  // namespace binnacle::query::promql
