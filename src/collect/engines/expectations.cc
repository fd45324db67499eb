#include "collect/engines/expectations.h"

#include <algorithm>

namespace binnacle::collect::engines {
namespace {

bool is_due(const Alias& alias, bool eager, const Evidence& evidence) {
  const bool group_seen = evidence.needs[static_cast<size_t>(alias.need)];
  switch (alias.need) {
    case Need::kMay:
      return false;
    case Need::kAlways:
      return true;
    case Need::kRequests:
    case Need::kIterations:
      return eager || group_seen;
    case Need::kSpeculative:
      return group_seen;
  }
  return false;
}

}  // namespace

void Evidence::note(const Alias& alias) {
  needs[static_cast<size_t>(alias.need)] = true;
  at_least = std::max(at_least, alias.since);
  if (alias.until != 0) below = below == 0 ? alias.until : std::min(below, alias.until);
}

std::string version_label(const std::string& told, const Evidence& evidence) {
  if (!told.empty()) return told;
  std::string text;
  if (evidence.at_least != 0) text = ">=" + version_text(evidence.at_least);
  if (evidence.below > evidence.at_least) {
    text += (text.empty() ? "<" : ",<") + version_text(evidence.below);
  }
  return text.empty() ? "unknown" : text;
}

bool is_expected(Engine engine, Series series, const Evidence& evidence, Version told) {
  const Version version = told != 0 ? told : evidence.at_least;
  for (const AliasTable& table : alias_tables()) {
    if (table.engine != engine) continue;
    for (const Alias& row : table.rows) {
      if (row.series != series || row.since > version) continue;
      if (row.until != 0 && version >= row.until) continue;
      if (is_due(row, traits(engine).eager, evidence)) return true;
    }
  }
  return false;
}

}  // namespace binnacle::collect::engines
