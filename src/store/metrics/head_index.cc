#include "store/metrics/head_index.h"

#include <algorithm>
#include <roaring/roaring.hh>

#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

using model::Label;
using model::LabelsView;
using model::Matcher;
using model::Matchers;
using model::MatchOp;

// Labels, between two looks at the budget: less than a millisecond, but for slow regexes.
constexpr size_t kCheckEvery = 1024;

// What a string holds beside itself.
size_t outside_bytes(const std::string& text) {
  return text.capacity() <= std::string().capacity() ? 0 : text.capacity() + 1;
}

// The first of many texts in their order, without holding more than about twice what is wanted.
class FirstTexts {
 public:
  explicit FirstTexts(size_t limit) : limit_(limit) {}  // 0: all

  void add(std::string_view text) {
    if (is_cut_ && text >= texts_[limit_ - 1]) return;
    texts_.emplace_back(text);
    bytes_ += sizeof(std::string) + outside_bytes(texts_.back());
    if (limit_ != 0 && texts_.size() >= 2 * limit_ + kSpare) cut();
  }
  size_t bytes() const { return bytes_; }
  std::vector<std::string> take() && {
    std::sort(texts_.begin(), texts_.end());
    if (limit_ != 0 && texts_.size() > limit_) texts_.resize(limit_);
    return std::move(texts_);
  }

 private:
  static constexpr size_t kSpare = 64;

  // The last that is wanted stands behind those before it.
  void cut() {
    std::nth_element(texts_.begin(), texts_.begin() + static_cast<ptrdiff_t>(limit_ - 1),
                     texts_.end());
    texts_.resize(limit_);
    bytes_ = 0;
    for (const std::string& text : texts_) bytes_ += sizeof(std::string) + outside_bytes(text);
    is_cut_ = true;
  }

  const size_t limit_;
  std::vector<std::string> texts_;
  size_t bytes_ = 0;
  bool is_cut_ = false;
};

Label label_of(std::string_view packed) { return *LabelsView(packed).begin(); }

std::string pack(std::string_view name, std::string_view value) {
  return model::Labels{{name, value}}.packed();
}

void keep_largest(std::vector<HeadIndex::Cardinality>& all, size_t limit) {
  const auto larger = [](const auto& a, const auto& b) {
    return a.count != b.count ? a.count > b.count : a.name < b.name;
  };
  const size_t kept = std::min(limit, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<ptrdiff_t>(kept), all.end(), larger);
  all.resize(kept);
}

}  // namespace

struct HeadIndex::Name {
  std::vector<PairId> values;  // in any order
};

HeadIndex::HeadIndex() : all_(std::make_unique<Roaring>()) {}
HeadIndex::~HeadIndex() = default;

Roaring& HeadIndex::postings(PairId id) {
  if (id >= postings_.size()) postings_.resize(id + 1);
  if (postings_[id] == nullptr) {
    postings_[id] = std::make_unique<Roaring>();
    const Label label = label_of(table_.bytes(id));
    auto at = names_.find(label.name);
    if (at == names_.end()) {
      at = names_.emplace(std::string(label.name), std::make_unique<Name>()).first;
    }
    if (id >= places_.size()) places_.resize(id + 1);
    places_[id] = static_cast<uint32_t>(at->second->values.size());
    at->second->values.push_back(id);
  }
  return *postings_[id];
}

void HeadIndex::add(uint32_t series, LabelsView labels, std::vector<PairId>& pairs) {
  pairs.clear();
  MutexLock lock(mu_);
  const char* begin = labels.packed().data();
  for (const Label& label : labels) {
    const char* end = label.value.data() + label.value.size();
    const std::string_view packed(begin, static_cast<size_t>(end - begin));
    begin = end;
    // Series that come one after the other share most of their labels.
    const size_t at = pairs.size();
    const bool again = at < last_pairs_.size() && table_.bytes(last_pairs_[at]) == packed;
    const PairId id = again ? last_pairs_[at] : table_.intern(packed);
    postings(id).add(series);
    pairs.push_back(id);
  }
  all_->add(series);
  last_pairs_ = pairs;
}

void HeadIndex::remove(uint32_t series, std::span<const PairId> pairs) {
  MutexLock lock(mu_);
  all_->remove(series);
  for (const PairId id : pairs) {
    Roaring& list = *postings_[id];
    list.remove(series);
    if (!list.isEmpty()) continue;
    const auto name = names_.find(label_of(table_.bytes(id)).name);
    CHECK(name != names_.end());
    // The last one takes its place: a search would make the end of many values take their square.
    std::vector<PairId>& values = name->second->values;
    CHECK(values[places_[id]] == id);
    values[places_[id]] = values.back();
    places_[values.back()] = places_[id];
    values.pop_back();
    if (values.empty()) names_.erase(name);
    postings_[id].reset();
    table_.release(id);
  }
}

const Roaring* HeadIndex::find(std::string_view name, std::string_view value) const {
  const PairId id = table_.find(pack(name, value));
  return id == PairTable::kNone ? nullptr : postings_[id].get();
}

Status HeadIndex::copy_values(std::string_view name, model::HeldBytes& held,
                              std::vector<Candidate>& out) const {
  MutexLock lock(mu_);
  const auto at = names_.find(name);
  if (at == names_.end()) return {};
  const std::vector<PairId>& values = at->second->values;
  TRY(held.add(values.size() * sizeof(Candidate)));
  out.reserve(values.size());
  size_t bytes = 0;
  for (const PairId id : values) {
    out.push_back({id, std::string(label_of(table_.bytes(id)).value)});
    bytes += outside_bytes(out.back().value);
    if (out.size() % kCheckEvery == 0) TRY(held.add(std::exchange(bytes, 0)));
  }
  return held.add(bytes);
}

Result<Roaring> HeadIndex::matching(const Matcher& matcher, bool invert,
                                    model::ReadBudget* budget) const {
  if (!invert && matcher.op() == MatchOp::kEqual) {
    MutexLock lock(mu_);
    const Roaring* list = find(matcher.name(), matcher.value());
    return list == nullptr ? Roaring() : *list;
  }
  // Values are copied out, so that a slow regex holds up nobody; a pair that was given to another
  // label meanwhile is told by its value.
  model::HeldBytes held(budget);
  std::vector<Candidate> candidates;
  TRY(copy_values(matcher.name(), held, candidates));
  std::vector<const Candidate*> fitting;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (i % kCheckEvery == 0) TRY(held.check());
    if (matcher.matches(candidates[i].value) != invert) fitting.push_back(&candidates[i]);
  }
  TRY(held.add(fitting.capacity() * (sizeof(fitting[0]) + sizeof(const Roaring*))));
  MutexLock lock(mu_);
  std::vector<const Roaring*> lists;
  lists.reserve(fitting.size());
  for (const Candidate* candidate : fitting) {
    if (const Roaring* list = find(matcher.name(), candidate->value); list != nullptr)
      lists.push_back(list);
  }
  return Roaring::fastunion(lists.size(), lists.data());
}

// A matcher that fits the empty value fits series without the label too, so it can only take away.
Result<Roaring> HeadIndex::selected(const Matchers& matchers, model::HeldBytes& held) const {
  std::unique_ptr<Roaring> found;
  for (const Matcher& matcher : matchers) {
    if (matcher.matches_empty()) continue;
    TRY_ASSIGN(Roaring list, matching(matcher, false, held.budget()));
    if (found == nullptr) {
      found = std::make_unique<Roaring>(std::move(list));
    } else {
      *found &= list;
    }
    TRY(held.set(found->getSizeInBytes()));
    if (found->isEmpty()) return Roaring();
  }
  if (found == nullptr) {
    MutexLock lock(mu_);
    found = std::make_unique<Roaring>(*all_);
    TRY(held.set(found->getSizeInBytes()));
  }
  for (const Matcher& matcher : matchers) {
    if (!matcher.matches_empty()) continue;
    TRY_ASSIGN(const Roaring list, matching(matcher, true, held.budget()));
    *found -= list;
  }
  return std::move(*found);
}

Result<std::vector<uint32_t>> HeadIndex::select(const Matchers& matchers,
                                                model::ReadBudget* budget) const {
  model::HeldBytes held(budget);
  TRY_ASSIGN(const Roaring found, selected(matchers, held));
  TRY(held.add(found.cardinality() * sizeof(uint32_t)));
  std::vector<uint32_t> out(found.cardinality());
  found.toUint32Array(out.data());
  return out;
}

Result<std::vector<std::string>> HeadIndex::label_names(const Matchers& matchers,
                                                        model::ReadBudget* budget) const {
  model::HeldBytes held(budget);
  TRY_ASSIGN(const Roaring found, selected(matchers, held));
  std::vector<std::string> out;
  size_t looked = 0;
  MutexLock lock(mu_);
  for (const auto& [name, entry] : names_) {
    bool used = matchers.empty();
    for (size_t i = 0; !used && i < entry->values.size(); ++i) {
      if (++looked % kCheckEvery == 0) TRY(held.check());
      used = postings_[entry->values[i]]->intersect(found);
    }
    if (used) out.push_back(name);
  }
  return out;
}

Result<std::vector<std::string>> HeadIndex::label_values(std::string_view name,
                                                         const Matchers& matchers, size_t limit,
                                                         model::ReadBudget* budget) const {
  model::HeldBytes held(budget);
  TRY_ASSIGN(const Roaring found, selected(matchers, held));
  FirstTexts first(limit);
  MutexLock lock(mu_);
  const auto at = names_.find(name);
  if (at == names_.end()) return std::vector<std::string>();
  const size_t of_postings = found.getSizeInBytes();
  size_t looked = 0;
  for (const PairId id : at->second->values) {
    if (++looked % kCheckEvery == 0) TRY(held.set(of_postings + first.bytes()));
    if (matchers.empty() || postings_[id]->intersect(found))
      first.add(label_of(table_.bytes(id)).value);
  }
  TRY(held.set(of_postings + first.bytes()));
  return std::move(first).take();
}

uint64_t HeadIndex::series_with(std::string_view name, std::string_view value) const {
  MutexLock lock(mu_);
  const Roaring* list = find(name, value);
  return list == nullptr ? 0 : list->cardinality();
}

uint64_t HeadIndex::series_count() const {
  MutexLock lock(mu_);
  return all_->cardinality();
}

std::vector<uint32_t> HeadIndex::ranks() const {
  MutexLock lock(mu_);
  std::vector<PairId> order;
  for (PairId id = 0; id < postings_.size(); ++id) {
    if (postings_[id] != nullptr) order.push_back(id);
  }
  std::sort(order.begin(), order.end(), [this](PairId a, PairId b) REQUIRES(mu_) {
    const Label la = label_of(table_.bytes(a));
    const Label lb = label_of(table_.bytes(b));
    return la.name != lb.name ? la.name < lb.name : la.value < lb.value;
  });
  std::vector<uint32_t> rank(postings_.size(), kNoRank);
  for (size_t i = 0; i < order.size(); ++i) rank[order[i]] = static_cast<uint32_t>(i);
  return rank;
}

HeadIndex::Statistics HeadIndex::statistics(size_t limit) const {
  Statistics out;
  MutexLock lock(mu_);
  out.pairs = table_.size();
  for (const auto& [name, entry] : names_) {
    uint64_t bytes = 0;
    for (const PairId id : entry->values) {
      const Label label = label_of(table_.bytes(id));
      const uint64_t series = postings_[id]->cardinality();
      bytes += label.value.size();
      if (name == model::kMetricName)
        out.series_by_metric.push_back({std::string(label.value), series});
      out.series_by_pair.push_back({name + "=" + std::string(label.value), series});
    }
    out.values_by_name.push_back({name, entry->values.size()});
    out.bytes_by_name.push_back({name, bytes});
  }
  for (auto* list :
       {&out.series_by_metric, &out.values_by_name, &out.bytes_by_name, &out.series_by_pair}) {
    keep_largest(*list, limit);
  }
  return out;
}

}  // namespace binnacle::store::metrics
