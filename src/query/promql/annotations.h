// What a query tells beside its answer: warnings (the answer may be wrong) and infos (the query may
// be). Each text once, some thousand of each at most: a query may find a fault with each series.
// One evaluation's; not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "query/promql/ast.h"

namespace binnacle::query::promql {

class Annotations {
 public:
  // `query`: to tell positions as line and column; outlives this.
  explicit Annotations(std::string_view query) : query_(query) {}

  // Kept as "PromQL warning: TEXT (1:5)" and "PromQL info: TEXT (1:5)".
  void warn(std::string_view text, PositionRange at);
  void info(std::string_view text, PositionRange at);

  const std::vector<std::string>& warnings() const { return warnings_; }
  const std::vector<std::string>& infos() const { return infos_; }
  std::string_view query() const { return query_; }
  bool empty() const { return warnings_.empty() && infos_.empty(); }
  void merge(const Annotations& other);

 private:
  void add(std::vector<std::string>& texts, std::string text);

  std::string_view query_;
  std::vector<std::string> warnings_;  // in order of appearance
  std::vector<std::string> infos_;
  std::unordered_set<std::string> known_;
};

}  // namespace binnacle::query::promql
