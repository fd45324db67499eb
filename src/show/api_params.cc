#include "show/api_params.h"

#include <algorithm>

#include <charconv>

#include <fmt/format.h>

#include "base/json_text.h"
#include "query/promql/parser.h"

namespace binnacle::show {
namespace {

Result<int64_t> whole_number(std::string_view text) {
  int64_t number = 0;
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc() && end == digits.data() + digits.size()) return number;
  std::string message = "strconv.Atoi: parsing ";
  append_json_string(message, text.substr(0, 256));
  message += error == std::errc::result_out_of_range ? ": value out of range" : ": invalid syntax";
  return fail(Code::kInvalidArgument, std::move(message));
}

}  // namespace

Unexpected invalid_param(std::string_view name, Error error) {
  return fail(std::move(error).with_context(fmt::format("invalid parameter \"{}\"", name)));
}

Unexpected invalid_param(std::string_view name, std::string message) {
  return invalid_param(name, Error{Code::kInvalidArgument, std::move(message)});
}

Result<size_t> limit_param(const net::Params& params) {
  const auto text = params.get("limit");
  if (text.empty()) return size_t{0};
  auto limit = whole_number(text);
  if (!limit) return invalid_param("limit", std::move(limit).error());
  if (*limit < 0) return invalid_param("limit", "limit must be non-negative");
  return static_cast<size_t>(*limit);
}

Result<int64_t> number_param(const net::Params& params, std::string_view name) {
  const auto text = params.get(name);
  if (text.empty()) return -1;
  const auto number = whole_number(text);
  if (number) return *number;
  return fail(Code::kInvalidArgument, fmt::format("{} must be a number", name));
}

Result<std::vector<model::Matchers>> match_params(const net::Params& params) {
  auto selectors = query::promql::parse_selectors(params.all("match[]"));
  constexpr std::string_view kMatchesAll = "must contain at least one non-empty matcher";
  if (!selectors && selectors.error().message.ends_with(kMatchesAll))
    return fail(Code::kInvalidArgument, fmt::format("match[] {}", kMatchesAll));
  return selectors;
}

std::string caller_of(const net::Request& request) {
  if (!request.identity.key_id.empty()) return request.identity.key_id;
  return request.connection != nullptr ? request.connection->peer_address : std::string();
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

}  // namespace binnacle::show
