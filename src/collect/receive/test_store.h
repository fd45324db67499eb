// For tests of receivers: a store that is looked on at and can be made to fail, and what is stored
// as lines of text. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/float_text.h"
#include "model/appender.h"
#include "model/querier.h"

namespace binnacle::collect::receive {

using Lines = std::vector<std::string>;

// Looks on at what reaches the store, and lets it fail.
class WatchedStore final : public model::Appendable {
 public:
  explicit WatchedStore(model::Appendable& store) : store_(store) {}

  std::unique_ptr<model::Appender> appender() override {
    return std::make_unique<Batch>(*this, store_.appender());
  }

  size_t with_labels = 0;
  size_t by_ref = 0;
  size_t commits = 0;
  bool forgets = false;  // every reference is unknown
  std::optional<Error> commit_error;
  std::map<std::string, model::MetricMetadata> metadata;

 private:
  class Batch final : public model::Appender {
   public:
    Batch(WatchedStore& owner, std::unique_ptr<model::Appender> batch)
        : owner_(owner), batch_(std::move(batch)) {}
    Result<model::SeriesRef> append(model::SeriesRef ref, model::LabelsView labels,
                                    model::Sample sample) override {
      ++(labels.empty() ? owner_.by_ref : owner_.with_labels);
      return batch_->append(owner_.forgets && labels.empty() ? 1'000'000 : ref, labels, sample);
    }
    void append_metadata(std::string_view metric, const model::MetricMetadata& word) override {
      owner_.metadata[std::string(metric)] = word;
    }
    Result<model::CommitReport> commit() override {
      if (owner_.commit_error) return fail(*owner_.commit_error);
      ++owner_.commits;
      return batch_->commit();
    }
    void rollback() override { batch_->rollback(); }

   private:
    WatchedStore& owner_;
    std::unique_ptr<model::Appender> batch_;
  };

  model::Appendable& store_;
};

// `up{job="a"} 1@0 stale@5` of each series whose name matches, times relative to `origin_ms`.
inline Lines stored_lines(model::Queryable& store, const std::string& names,
                          std::pair<int64_t, int64_t> range_ms, int64_t origin_ms) {
  auto querier = store.querier(range_ms.first, range_ms.second);
  auto matcher = model::Matcher::create(model::MatchOp::kRegex, "__name__", names);
  auto set = (*querier)->select({*std::move(matcher)}, {});
  Lines out;
  for (model::SeriesColumns columns; (*set)->next(columns);) {
    std::string line = columns.labels.to_string();
    for (size_t i = 0; i < columns.values.size(); ++i) {
      line += " ";
      if (model::is_stale(columns.values[i])) {
        line += "stale";
      } else {
        append_float_text(line, columns.values[i]);
      }
      line += "@" + std::to_string(columns.timestamps_ms[i] - origin_ms);
    }
    out.push_back(line);
  }
  return out;
}

}  // namespace binnacle::collect::receive
