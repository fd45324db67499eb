#include "store/metrics/block_select.h"

#include <fmt/format.h>

#include <algorithm>

namespace binnacle::store::metrics {
namespace {

using model::Matcher;
using model::MatchOp;

// Labels between two looks at the budget.
constexpr size_t kCheckEvery = 1024;

template <typename Run>
Status visit_runs(const BlockIndex& index, uint32_t pair, Run run) {
  TRY_ASSIGN(const auto posting, index.posting(pair));
  if (for_each_run(posting.list, index.directory().series, run)) return {};
  return fail(Code::kDataLoss,
              fmt::format("read {}: broken postings of pair {} (offset {})", index.path(), pair,
                          find_page(index.directory().postings, pair)->offset));
}

Status add_series(const BlockIndex& index, uint32_t pair, SeriesBitmap& out) {
  return visit_runs(index, pair, [&](uint32_t begin, uint32_t end) { out.add(begin, end); });
}

Result<bool> has_any(const BlockIndex& index, uint32_t pair, const SeriesBitmap& of) {
  bool any = false;
  TRY(visit_runs(index, pair,
                 [&](uint32_t begin, uint32_t end) { any = any || of.any(begin, end); }));
  return any;
}

// The series whose value of the label, which is there, matches as `wanted` says.
Status add_matching(const BlockIndex& index, const Matcher& matcher, bool wanted,
                    const model::HeldBytes& held, SeriesBitmap& out) {
  const bool is_literal = matcher.op() == MatchOp::kEqual || matcher.op() == MatchOp::kNotEqual;
  if (is_literal && wanted == (matcher.op() == MatchOp::kEqual)) {
    if (matcher.value().empty()) return {};
    TRY_ASSIGN(const auto pair, index.find_pair(matcher.name(), matcher.value()));
    return pair ? add_series(index, *pair, out) : Status{};
  }
  const BlockDirectory::Name* const name = index.directory().find_name(matcher.name());
  if (name == nullptr) return {};
  return index.for_each_value(*name, [&](uint32_t pair, std::string_view value) -> Status {
    if (pair % kCheckEvery == 0) TRY(held.check());
    return matcher.matches(value) == wanted ? add_series(index, pair, out) : Status{};
  });
}

}  // namespace

Result<SeriesBitmap> select_series(const BlockIndex& index, const model::Matchers& matchers,
                                   model::ReadBudget* budget) {
  const uint32_t series = index.directory().series;
  model::HeldBytes held(budget);
  TRY(held.set(2 * series / 8));  // as bits, twice
  SeriesBitmap out(series);
  if (series == 0) return out;
  out.add(0, series);
  for (const Matcher& matcher : matchers) {
    const bool absent_too = matcher.matches_empty();
    SeriesBitmap found(series);
    TRY(add_matching(index, matcher, !absent_too, held, found));
    if (absent_too) {
      out.subtract(found);
    } else {
      out.intersect(found);
    }
    if (out.empty()) break;
  }
  return out;
}

Result<std::vector<std::string>> select_label_names(const BlockIndex& index,
                                                    const model::Matchers& matchers,
                                                    model::ReadBudget* budget) {
  std::vector<std::string> out;
  TRY_ASSIGN(const SeriesBitmap selected, select_series(index, matchers, budget));
  const model::HeldBytes held(budget);
  for (const BlockDirectory::Name& name : index.directory().names) {
    bool any = matchers.empty();
    for (uint32_t i = 0; i < name.pairs && !any; ++i) {
      if (i % kCheckEvery == 0) TRY(held.check());
      TRY_ASSIGN(any, has_any(index, name.first_pair + i, selected));
    }
    if (any) out.push_back(name.name);
  }
  return out;
}

// Values come in their order, so the first that fit are those wanted.
Result<std::vector<std::string>> select_label_values(const BlockIndex& index, std::string_view name,
                                                     const model::Matchers& matchers, size_t limit,
                                                     model::ReadBudget* budget) {
  std::vector<std::string> out;
  const BlockDirectory::Name* const found = index.directory().find_name(name);
  if (found == nullptr) return out;
  TRY_ASSIGN(const SeriesBitmap selected, select_series(index, matchers, budget));
  model::HeldBytes held(budget);
  size_t bytes = 0;
  TRY(index.for_each_value(*found, [&](uint32_t pair, std::string_view value) -> Status {
    if (pair % kCheckEvery == 0) TRY(held.set(bytes));
    if (limit != 0 && out.size() == limit) return {};
    bool any = matchers.empty();
    if (!any) {
      TRY_ASSIGN(any, has_any(index, pair, selected));
    }
    if (!any) return {};
    out.emplace_back(value);
    bytes += sizeof(std::string) + value.size();
    return {};
  }));
  TRY(held.set(bytes));
  return out;
}

}  // namespace binnacle::store::metrics
