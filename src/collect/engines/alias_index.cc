#include "collect/engines/alias_index.h"

#include <algorithm>
#include <unordered_map>

namespace binnacle::collect::engines {
namespace {

struct IndexedTable {
  const AliasTable* table;
  std::unordered_multimap<std::string_view, const Alias*> rows;  // by name
};

const std::vector<IndexedTable>& index() {
  static const std::vector<IndexedTable> made = [] {
    std::vector<IndexedTable> all;
    for (const AliasTable& table : alias_tables()) {
      IndexedTable indexed{&table, {}};
      for (const Alias& row : table.rows) indexed.rows.emplace(row.name, &row);
      all.push_back(std::move(indexed));
    }
    return all;
  }();
  return made;
}

// Every prefix ends in `_`, where the engine may write `:`.
bool has_prefix(std::string_view name, std::string_view prefix) {
  return name.size() > prefix.size() && name.starts_with(prefix.substr(0, prefix.size() - 1)) &&
         (name[prefix.size() - 1] == '_' || name[prefix.size() - 1] == ':');
}

struct Suffix {
  std::string_view text;
  Role role;
};
constexpr Suffix kSuffixes[] = {
    {"_bucket", Role::kBucket}, {"_sum", Role::kSum}, {"_count", Role::kCount}};

// What a row makes of a sample with that role, if anything.
std::optional<Role> role_in(const Alias& row, Role exposed) {
  const bool plain = exposed == Role::kValue;
  switch (row.part) {
    case Part::kHistogramSum:
      return exposed == Role::kSum ? std::optional(Role::kValue) : std::nullopt;
    case Part::kAsSum:
      return plain ? std::optional(Role::kSum) : std::nullopt;
    case Part::kAsCount:
      return plain ? std::optional(Role::kCount) : std::nullopt;
    default:
      break;
  }
  const bool histogram = canonical(row.series).type == model::MetricType::kHistogram;
  return histogram == plain ? std::nullopt : std::optional(exposed);
}

void collect_rows(const IndexedTable& indexed, std::string_view name, Role exposed,
                  model::LabelsView labels, std::vector<Match>& rows) {
  const auto [from, to] = indexed.rows.equal_range(name);
  for (auto it = from; it != to; ++it) {
    const Alias& row = *it->second;
    const std::optional<Role> role = role_in(row, exposed);
    if (!role) continue;
    if (!row.only_label.empty() && labels.get(row.only_label) != row.only_value) continue;
    rows.push_back({&row, *role});
  }
}

}  // namespace

std::string_view role_suffix(Role role) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.role == role) return suffix.text;
  }
  return "";
}

Matches match_series(model::LabelsView labels) {
  Matches found;
  const std::string_view exposed = labels.metric_name();
  const auto indexed = std::ranges::find_if(
      index(), [&](const IndexedTable& one) { return has_prefix(exposed, one.table->prefix); });
  if (indexed == index().end()) return found;
  found.table = indexed->table;
  found.family = exposed;

  std::string rest(exposed.substr(found.table->prefix.size()));
  std::ranges::replace(rest, ':', '_');
  std::string_view plain = rest;
  if (plain.ends_with("_total")) plain.remove_suffix(6);
  collect_rows(*indexed, plain, Role::kValue, labels, found.rows);
  if (!found.rows.empty()) return found;
  for (const Suffix& suffix : kSuffixes) {
    if (!rest.ends_with(suffix.text)) continue;
    const std::string_view family =
        std::string_view(rest).substr(0, rest.size() - suffix.text.size());
    collect_rows(*indexed, family, suffix.role, labels, found.rows);
    found.family.resize(exposed.size() - suffix.text.size());
    break;
  }
  return found;
}

}  // namespace binnacle::collect::engines
