#include "query/promql/annotations.h"

#include <fmt/format.h>

#include "query/promql/parser.h"

namespace binnacle::query::promql {
namespace {

constexpr size_t kMost = 2000;

}  // namespace

void Annotations::add(std::vector<std::string>& texts, std::string text) {
  if (texts.size() < kMost && known_.insert(text).second) texts.push_back(std::move(text));
}

void Annotations::warn(std::string_view text, PositionRange at) {
  add(warnings_, fmt::format("PromQL warning: {} ({})", text, line_and_column(query_, at.start)));
}

void Annotations::info(std::string_view text, PositionRange at) {
  add(infos_, fmt::format("PromQL info: {} ({})", text, line_and_column(query_, at.start)));
}

void Annotations::merge(const Annotations& other) {
  for (const std::string& text : other.warnings_) add(warnings_, text);
  for (const std::string& text : other.infos_) add(infos_, text);
}

}  // namespace binnacle::query::promql
