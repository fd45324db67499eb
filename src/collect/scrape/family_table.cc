#include "collect/scrape/family_table.h"

namespace binnacle::collect::scrape {

using exposition::Entry;

void FamilyTable::note(const Entry& entry, uint32_t page) {
  const MutexLock lock(mu_);
  auto at = families_.find(entry.family);
  if (at == families_.end()) {
    if (families_.size() >= kMaxFamilies) return;
    at = families_.emplace(std::string(entry.family), Family{}).first;
    at->second.news = true;
  }
  Family& family = at->second;
  family.page = page;
  const std::string_view text = entry.text.substr(0, kMaxTextBytes);
  if (entry.kind == Entry::Kind::kType && family.metadata.type != entry.type) {
    family.metadata.type = entry.type;
    family.news = true;
  } else if (entry.kind == Entry::Kind::kHelp && family.metadata.help != text) {
    family.metadata.help = text;
    family.news = true;
  } else if (entry.kind == Entry::Kind::kUnit && family.metadata.unit != text) {
    family.metadata.unit = text;
    family.news = true;
  }
  any_news_ |= family.news;
}

FamilyTable::List FamilyTable::take_news(uint32_t page) {
  List news;
  const MutexLock lock(mu_);
  for (auto at = families_.begin(); any_news_ && at != families_.end(); ++at) {
    if (at->second.news) news.emplace_back(at->first, at->second.metadata);
    at->second.news = false;
  }
  any_news_ = false;
  if (page % kKeptPages == 0)
    std::erase_if(families_, [&](const auto& one) { return one.second.page + kKeptPages < page; });
  return news;
}

FamilyTable::List FamilyTable::all() const {
  const MutexLock lock(mu_);
  List out;
  for (const auto& [name, family] : families_) out.emplace_back(name, family.metadata);
  return out;
}

}  // namespace binnacle::collect::scrape
