// topk and bottomk: a heap of at most k values for each group and step, its worst on top, so that a
// row costs one comparison a step where it does not get in.
#include <algorithm>
#include <cmath>

#include "query/promql/aggregate_groups.h"
#include "query/promql/aggregator.h"

namespace binnacle::query::promql {
namespace {

struct Entry {
  double value = 0;
  uint32_t row = 0;
};
struct Heap {
  std::span<Entry> room;
  uint32_t size = 0;
  std::span<Entry> entries() const { return room.first(size); }
};

// Worse than all others of its heap is the smallest of topk, the largest of bottomk, and a NaN.
template <bool kTop>
bool worse(const Entry& a, const Entry& b) {
  if (std::isnan(a.value)) return true;
  return kTop ? a.value < b.value : a.value > b.value;
}

// Sifting as textbooks (and Prometheus) do it: which of equal values is thrown out depends on it.
template <bool kTop>
void sift_up(std::span<Entry> heap) {
  for (size_t at = heap.size() - 1; at > 0;) {
    const size_t parent = (at - 1) / 2;
    if (!worse<kTop>(heap[at], heap[parent])) return;
    std::swap(heap[at], heap[parent]);
    at = parent;
  }
}

template <bool kTop>
void sift_down(std::span<Entry> heap) {
  for (size_t at = 0; 2 * at + 1 < heap.size();) {
    size_t child = 2 * at + 1;
    if (child + 1 < heap.size() && worse<kTop>(heap[child + 1], heap[child])) ++child;
    if (!worse<kTop>(heap[child], heap[at])) return;
    std::swap(heap[at], heap[child]);
    at = child;
  }
}

template <bool kTop>
class TopAggregator final : public Aggregator {
 public:
  TopAggregator(const Aggregation& expr, std::vector<double> k, EvalContext& context)
      : memory_(context.meter),
        meter_(context.meter),
        k_(std::move(k)),
        groups_(expr.grouping, memory_) {}

  Status add(const Row& row) override {
    TRY_ASSIGN(const uint32_t group, groups_.of(row));
    if (heaps_.size() == group * k_.size()) {
      TRY(memory_.charge(k_.size() * sizeof(Heap)));
      heaps_.resize(heaps_.size() + k_.size());
    }
    bool used = false;
    const auto number = static_cast<uint32_t>(rows_.size());
    for (size_t i = 0; i < k_.size(); ++i) {
      if (is_absent(row.values[i]) || !(k_[i] >= 1)) continue;
      TRY_ASSIGN(const bool taken,
                 offer(heaps_[group * k_.size() + i], static_cast<size_t>(std::trunc(k_[i])),
                       {row.values[i], number}));
      used |= taken;
    }
    if (!used) return {};
    TRY(memory_.charge(sizeof(Chosen)));
    TRY_ASSIGN(const auto labels, memory_.text(row.labels.packed()));
    rows_.push_back({model::LabelsView(labels), row.drop_name, {}});
    return {};
  }

  Status finish() override {
    for (size_t i = 0; i < heaps_.size(); ++i) {
      TRY(meter_.work(heaps_[i].size + 1));
      for (const Entry& entry : heaps_[i].entries()) {
        Chosen& row = rows_[entry.row];
        if (row.values.empty()) {
          TRY_ASSIGN(row.values, memory_.column(k_.size(), absent_value()));
        }
        row.values[i % k_.size()] = entry.value;
      }
    }
    if (k_.size() == 1) return order_by_value();
    for (uint32_t i = 0; i < rows_.size(); ++i) {
      if (!rows_[i].values.empty()) order_.push_back(i);
    }
    return {};
  }

  Result<bool> next(Row& out) override {
    if (next_ == order_.size()) return false;
    const Chosen& row = rows_[order_[next_++]];
    out = {row.labels, row.drop_name, row.values};
    return true;
  }

 private:
  struct Chosen {
    model::LabelsView labels;
    bool drop_name = false;
    std::span<double> values;  // none: all its values fell out again
  };

  Result<bool> offer(Heap& heap, size_t k, Entry entry) {
    if (heap.size < k) {
      if (heap.size == heap.room.size()) TRY(make_room(heap, k));
      heap.room[heap.size++] = entry;
      sift_up<kTop>(heap.entries());
      return true;
    }
    Entry& worst = heap.room.front();
    const bool better = (kTop ? worst.value < entry.value : worst.value > entry.value) ||
                        (std::isnan(worst.value) && !std::isnan(entry.value));
    if (!better) return false;
    worst = entry;
    sift_down<kTop>(heap.entries());
    return true;
  }

  Status make_room(Heap& heap, size_t k) {
    TRY_ASSIGN(const auto room,
               memory_.array<Entry>(std::min(k, std::max<size_t>(16, heap.size * size_t{2}))));
    std::ranges::copy(heap.entries(), room.begin());
    heap.room = room;
    return {};
  }

  // An instant query's answer: group by group, the best first.
  Status order_by_value() {
    for (const Heap& heap : heaps_) {
      std::ranges::stable_sort(heap.entries(), [](const Entry& a, const Entry& b) {
        if (std::isnan(a.value) || std::isnan(b.value)) return !std::isnan(a.value);
        return kTop ? a.value > b.value : a.value < b.value;
      });
      for (const Entry& entry : heap.entries()) order_.push_back(entry.row);
    }
    return {};
  }

  HeldMemory memory_;
  QueryMeter& meter_;
  const std::vector<double> k_;  // one for each step
  AggregateGroups groups_;
  std::vector<Heap> heaps_;  // of the first group's steps, the second group's, ...
  std::vector<Chosen> rows_;
  std::vector<uint32_t> order_;
  size_t next_ = 0;
};

}  // namespace

AggregatorPtr make_top_aggregator(const Aggregation& expr, std::vector<double> k,
                                  EvalContext& context) {
  if (expr.op == AggregateOp::kTopk) {
    return std::make_unique<TopAggregator<true>>(expr, std::move(k), context);
  }
  return std::make_unique<TopAggregator<false>>(expr, std::move(k), context);
}

}  // namespace binnacle::query::promql
