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

std::vector<HeadIndex::Candidate> HeadIndex::values_of(std::string_view name) const {
  std::vector<Candidate> out;
  MutexLock lock(mu_);
  const auto at = names_.find(name);
  if (at == names_.end()) return out;
  out.reserve(at->second->values.size());
  for (const PairId id : at->second->values) {
    out.push_back({id, std::string(label_of(table_.bytes(id)).value)});
  }
  return out;
}

Roaring HeadIndex::matching(const Matcher& matcher, bool invert) const {
  if (!invert && matcher.op() == MatchOp::kEqual) {
    MutexLock lock(mu_);
    const Roaring* list = find(matcher.name(), matcher.value());
    return list == nullptr ? Roaring() : *list;
  }
  // Values are copied out, so that a slow regex holds up nobody; a pair that was given to another
  // label meanwhile is told by its value.
  auto candidates = values_of(matcher.name());
  std::erase_if(candidates, [&](const Candidate& c) { return matcher.matches(c.value) == invert; });
  MutexLock lock(mu_);
  std::vector<const Roaring*> lists;
  lists.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    if (const Roaring* list = find(matcher.name(), candidate.value); list != nullptr)
      lists.push_back(list);
  }
  return Roaring::fastunion(lists.size(), lists.data());
}

// A matcher that fits the empty value fits series without the label too, so it can only take away.
Roaring HeadIndex::selected(const Matchers& matchers) const {
  std::unique_ptr<Roaring> found;
  for (const Matcher& matcher : matchers) {
    if (matcher.matches_empty()) continue;
    Roaring list = matching(matcher, false);
    if (found == nullptr) {
      found = std::make_unique<Roaring>(std::move(list));
    } else {
      *found &= list;
    }
    if (found->isEmpty()) return {};
  }
  if (found == nullptr) {
    MutexLock lock(mu_);
    found = std::make_unique<Roaring>(*all_);
  }
  for (const Matcher& matcher : matchers) {
    if (matcher.matches_empty()) *found -= matching(matcher, true);
  }
  return *found;
}

std::vector<uint32_t> HeadIndex::select(const Matchers& matchers) const {
  const Roaring found = selected(matchers);
  std::vector<uint32_t> out(found.cardinality());
  found.toUint32Array(out.data());
  return out;
}

std::vector<std::string> HeadIndex::label_names(const Matchers& matchers) const {
  const Roaring found = selected(matchers);
  std::vector<std::string> out;
  MutexLock lock(mu_);
  for (const auto& [name, entry] : names_) {
    bool used = matchers.empty();
    for (size_t i = 0; !used && i < entry->values.size(); ++i)
      used = postings_[entry->values[i]]->intersect(found);
    if (used) out.push_back(name);
  }
  return out;
}

std::vector<std::string> HeadIndex::label_values(std::string_view name,
                                                 const Matchers& matchers) const {
  const Roaring found = selected(matchers);
  std::vector<std::string> out;
  {
    MutexLock lock(mu_);
    const auto at = names_.find(name);
    if (at == names_.end()) return out;
    for (const PairId id : at->second->values) {
      if (matchers.empty() || postings_[id]->intersect(found))
        out.emplace_back(label_of(table_.bytes(id)).value);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
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
