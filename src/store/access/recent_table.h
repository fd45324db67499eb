// A bounded table by text: when it is full the entry that was touched longest ago makes room, so
// that a flood of addresses costs a fixed amount of memory. Not shared between threads.
#pragma once

#include "base/check.h"

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace binnacle::store::access {

template <typename Value>
class RecentTable {
 public:
  explicit RecentTable(size_t max_entries) : max_entries_(max_entries) { CHECK(max_entries > 0); }

  // Null when absent. Counts as a touch.
  Value* find(std::string_view key) {
    const auto it = index_.find(key);
    if (it == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, it->second);
    return &it->second->second;
  }

  // The entry, made from `fresh` when absent. Valid until the next call.
  Value& find_or_add(std::string_view key, const Value& fresh) {
    if (Value* present = find(key)) return *present;
    if (entries_.size() == max_entries_) erase_last();
    entries_.emplace_front(std::string(key), fresh);
    index_.emplace(entries_.front().first, entries_.begin());
    return entries_.front().second;
  }

  void erase(std::string_view key) {
    const auto it = index_.find(key);
    if (it == index_.end()) return;
    const auto entry = it->second;
    index_.erase(it);
    entries_.erase(entry);
  }

  size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<std::string, Value>>;  // touched last, first

  void erase_last() {
    index_.erase(entries_.back().first);
    entries_.pop_back();
  }

  const size_t max_entries_;
  Entries entries_;
  std::unordered_map<std::string_view, typename Entries::iterator> index_;  // views of entries_
};

}  // namespace binnacle::store::access
