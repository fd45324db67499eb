#include "collect/ship/merged_queryable.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace binnacle::collect::ship {
namespace {

using model::SeriesColumns;

size_t bytes_of(const std::vector<RemoteSeries>& all) {
  size_t bytes = all.capacity() * sizeof(RemoteSeries);
  for (const RemoteSeries& series : all) {
    bytes += series.labels.packed().size() +
             (series.timestamps_ms.capacity() + series.values.capacity()) * sizeof(double);
  }
  return bytes;
}

// Series of several sources, each in label order. The first source that has a sample at a time
// counts.
class MergedSet final : public model::SeriesSet {
 public:
  MergedSet(std::unique_ptr<model::SeriesSet> local, std::vector<std::vector<RemoteSeries>> remote,
            model::HeldBytes held)
      : held_(std::move(held)),
        local_(std::move(local)),
        remote_(std::move(remote)),
        at_(remote_.size(), 0) {
    local_more_ = local_->next(local_columns_);
  }

  bool next(SeriesColumns& out) override {
    if (local_taken_) local_more_ = local_->next(local_columns_);
    local_taken_ = false;
    if (!local_->status()) return false;
    const std::optional<model::LabelsView> first = first_labels();
    if (!first) return false;
    labels_ = model::Labels(*first);
    times_.clear();
    values_.clear();
    if (local_more_ && local_columns_.labels == labels_.view()) {
      times_.assign(local_columns_.timestamps_ms.begin(), local_columns_.timestamps_ms.end());
      values_.assign(local_columns_.values.begin(), local_columns_.values.end());
      local_taken_ = true;
    }
    for (size_t i = 0; i < remote_.size(); ++i) {
      while (at_[i] < remote_[i].size() && remote_[i][at_[i]].labels == labels_)
        add(remote_[i][at_[i]++]);
    }
    out = {labels_.view(), times_, values_, 0};
    return true;
  }
  Status status() const override { return local_->status(); }

 private:
  std::optional<model::LabelsView> first_labels() const {
    std::optional<model::LabelsView> first;
    const auto offer = [&first](model::LabelsView labels) {
      if (!first || model::compare(labels, *first) < 0) first = labels;
    };
    if (local_more_) offer(local_columns_.labels);
    for (size_t i = 0; i < remote_.size(); ++i) {
      if (at_[i] < remote_[i].size()) offer(remote_[i][at_[i]].labels);
    }
    return first;
  }

  void add(const RemoteSeries& series) {
    const std::vector<int64_t> times = std::exchange(times_, {});
    const std::vector<double> values = std::exchange(values_, {});
    size_t a = 0;
    size_t b = 0;
    while (a < times.size() || b < series.values.size()) {
      const bool ours =
          b == series.values.size() || (a < times.size() && times[a] <= series.timestamps_ms[b]);
      if (ours && b < series.values.size() && times[a] == series.timestamps_ms[b]) ++b;
      times_.push_back(ours ? times[a] : series.timestamps_ms[b]);
      values_.push_back(ours ? values[a] : series.values[b]);
      ++(ours ? a : b);
    }
  }

  const model::HeldBytes held_;  // of what is remote
  const std::unique_ptr<model::SeriesSet> local_;
  const std::vector<std::vector<RemoteSeries>> remote_;
  std::vector<size_t> at_;  // of each in remote_
  SeriesColumns local_columns_;
  bool local_more_ = false;
  bool local_taken_ = false;
  // What next() gave out.
  model::Labels labels_;
  std::vector<int64_t> times_;
  std::vector<double> values_;
};

}  // namespace

class MergedQueryable::View final : public model::Querier {
 public:
  View(std::unique_ptr<model::Querier> local,
       std::vector<std::shared_ptr<RemoteReadClient>> remotes, int64_t min_ms, int64_t max_ms,
       int64_t local_from_ms)
      : local_(std::move(local)),
        remotes_(std::move(remotes)),
        min_ms_(min_ms),
        max_ms_(max_ms),
        local_from_ms_(local_from_ms) {}

  void charge_to(model::ReadBudget& budget) override {
    budget_ = &budget;
    local_->charge_to(budget);
  }

  Result<std::unique_ptr<model::SeriesSet>> select(const model::Matchers& matchers,
                                                   const model::SelectHints& hints) override {
    std::vector<std::vector<RemoteSeries>> remote;
    model::HeldBytes held(budget_);
    for (const auto& client : remotes_) {
      const bool recent = client->options().read_recent;
      const int64_t max_ms = recent ? max_ms_ : std::min(max_ms_, local_from_ms_ - 1);
      if (max_ms < min_ms_ || !client->wants(matchers)) continue;
      auto series = client->read(matchers, min_ms_, max_ms);
      if (series) {
        TRY(held.add(bytes_of(*series)));
        remote.push_back(std::move(*series));
      } else if (client->options().required) {
        return fail(std::move(series).error());
      } else {
        warnings_.push_back(series.error().message);
      }
    }
    if (remote.empty()) return local_->select(matchers, hints);
    // Series are met by their whole label sets and in order, and samples by their own times.
    model::SelectHints whole = hints;
    whole.any_order = false;
    whole.labels.reset();
    whole.limit = 0;
    whole.newest_only = false;
    whole.resolution_ms = 0;
    TRY_ASSIGN(auto local, local_->select(matchers, whole));
    return std::make_unique<MergedSet>(std::move(local), std::move(remote), std::move(held));
  }

  Result<std::vector<std::string>> label_names(const model::Matchers& matchers,
                                               size_t limit) override {
    return local_->label_names(matchers, limit);
  }
  Result<std::vector<std::string>> label_values(std::string_view name,
                                                const model::Matchers& matchers,
                                                size_t limit) override {
    return local_->label_values(name, matchers, limit);
  }
  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  const std::unique_ptr<model::Querier> local_;
  const std::vector<std::shared_ptr<RemoteReadClient>> remotes_;
  const int64_t min_ms_;
  const int64_t max_ms_;
  const int64_t local_from_ms_;
  model::ReadBudget* budget_ = nullptr;
  std::vector<std::string> warnings_;
};

MergedQueryable::MergedQueryable(model::Queryable& local, std::function<int64_t()> local_from_ms)
    : local_(local), local_from_ms_(std::move(local_from_ms)) {}

void MergedQueryable::set_remotes(std::vector<std::shared_ptr<RemoteReadClient>> remotes) {
  const MutexLock held(mu_);
  remotes_ = std::move(remotes);
}

Result<std::unique_ptr<model::Querier>> MergedQueryable::querier(int64_t min_ms, int64_t max_ms) {
  TRY_ASSIGN(auto local, local_.querier(min_ms, max_ms));
  std::vector<std::shared_ptr<RemoteReadClient>> remotes;
  {
    const MutexLock held(mu_);
    remotes = remotes_;
  }
  const int64_t from_ms = remotes.empty() ? INT64_MIN : local_from_ms_();
  std::erase_if(remotes, [&](const auto& client) {
    return !client->options().read_recent && min_ms >= from_ms;
  });
  if (remotes.empty()) return local;
  return std::make_unique<View>(std::move(local), std::move(remotes), min_ms, max_ms, from_ms);
}

}  // namespace binnacle::collect::ship
