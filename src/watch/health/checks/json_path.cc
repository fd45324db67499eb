#include "watch/health/checks/json_path.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>

#include "base/float_text.h"

namespace binnacle::watch::health {
namespace {

constexpr size_t kMaxSteps = 64;
constexpr size_t kMaxDepth = 256;

using simdjson::dom::element;
using simdjson::dom::element_type;

Unexpected broken(std::string_view text, size_t at, std::string_view wanted) {
  return fail(Code::kInvalidArgument,
              fmt::format("JSON path: {} is wanted at byte {} ({}): write it like $.a.b[0]", wanted,
                          at, text.substr(0, 100)));
}

// `[0]`, `["name"]` or `['name']` from `at`, which is behind the bracket.
Result<std::variant<std::string, int64_t>> bracket(std::string_view text, size_t& at) {
  const char first = at < text.size() ? text[at] : '\0';
  if (first == '"' || first == '\'') {
    const size_t end = text.find(first, at + 1);
    if (end == std::string_view::npos) return broken(text, at, "a closing quote");
    std::string name(text.substr(at + 1, end - at - 1));
    at = end + 1;
    if (at >= text.size() || text[at] != ']') return broken(text, at, "]");
    ++at;
    return name;
  }
  int64_t index = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), index);
  if (error != std::errc()) return broken(text, at, "a number or a name in quotes");
  at = static_cast<size_t>(end - text.data());
  if (at >= text.size() || text[at] != ']') return broken(text, at, "]");
  ++at;
  return index;
}

std::string number_text(double value) {
  std::string out;
  append_float_json(out, value);
  return out;
}

JsonFound found_of(const element& value) {
  JsonFound out;
  switch (value.type()) {
    case element_type::NULL_VALUE:
      out.text = "null";
      break;
    case element_type::BOOL: {
      const bool on = value.get_bool().value_unsafe();
      out = {JsonFound::Kind::kBool, on ? 1.0 : 0.0, on ? "true" : "false"};
      break;
    }
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
      out = {JsonFound::Kind::kNumber, value.get_double().value_unsafe(), {}};
      out.text = number_text(out.number);
      break;
    case element_type::STRING:
      out = {JsonFound::Kind::kText, 0, std::string(value.get_string().value_unsafe())};
      break;
    case element_type::ARRAY:
      out = {JsonFound::Kind::kList, static_cast<double>(value.get_array().value_unsafe().size()),
             "a list"};
      break;
    case element_type::OBJECT:
      out = {JsonFound::Kind::kObject,
             static_cast<double>(value.get_object().value_unsafe().size()), "an object"};
      break;
  }
  return out;
}

}  // namespace

Result<JsonPath> JsonPath::parse(std::string_view text) {
  JsonPath out;
  out.text_ = std::string(text);
  if (!text.starts_with('$')) return broken(text, 0, "$");
  for (size_t at = 1; at < text.size();) {
    if (out.steps_.size() == kMaxSteps) return broken(text, at, "the end (64 steps at most)");
    if (text[at] == '[') {
      ++at;
      TRY_ASSIGN(auto step, bracket(text, at));
      out.steps_.push_back(std::move(step));
      continue;
    }
    if (text[at] != '.') return broken(text, at, ". or [");
    const size_t end = std::min(text.find_first_of(".[", at + 1), text.size());
    if (end == at + 1) return broken(text, end, "a name");
    out.steps_.emplace_back(std::string(text.substr(at + 1, end - at - 1)));
    at = end;
  }
  return out;
}

struct JsonBody::Impl {
  simdjson::dom::parser parser;  // holds what `root` views
  element root;

  std::optional<element> at(const std::vector<JsonPath::Step>& steps) const {
    element here = root;
    for (const auto& step : steps) {
      simdjson::error_code error = simdjson::SUCCESS;
      if (const auto* name = std::get_if<std::string>(&step)) {
        error = here.at_key(*name).get(here);
      } else {
        simdjson::dom::array list;
        if (here.get_array().get(list) != simdjson::SUCCESS) return std::nullopt;
        int64_t index = std::get<int64_t>(step);
        if (index < 0) index += static_cast<int64_t>(list.size());
        if (index < 0) return std::nullopt;
        error = list.at(static_cast<size_t>(index)).get(here);
      }
      if (error != simdjson::SUCCESS) return std::nullopt;
    }
    return here;
  }
};

JsonBody::JsonBody(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonBody::~JsonBody() = default;
JsonBody::JsonBody(JsonBody&&) noexcept = default;
JsonBody& JsonBody::operator=(JsonBody&&) noexcept = default;

Result<JsonBody> JsonBody::parse(std::string_view bytes) {
  if (bytes.empty()) return fail(Code::kDataLoss, "the body is not JSON: it is empty");
  auto impl = std::make_unique<Impl>();
  simdjson::error_code error = impl->parser.allocate(bytes.size(), kMaxDepth);
  if (error == simdjson::SUCCESS)
    error = impl->parser.parse(bytes.data(), bytes.size()).get(impl->root);
  if (error != simdjson::SUCCESS) {
    return fail(Code::kDataLoss,
                fmt::format("the body is not JSON: {}", simdjson::error_message(error)));
  }
  return JsonBody(std::move(impl));
}

std::optional<JsonFound> JsonBody::find(const JsonPath& path) const {
  const auto there = impl_->at(path.steps_);
  if (!there) return std::nullopt;
  return found_of(*there);
}

std::vector<std::string> JsonBody::texts(const JsonPath& path, std::string_view name) const {
  std::vector<std::string> out;
  const auto there = impl_->at(path.steps_);
  simdjson::dom::array list;
  if (!there || there->get_array().get(list) != simdjson::SUCCESS) return out;
  for (const element item : list) {
    std::string_view text;
    if (item.at_key(name).get_string().get(text) == simdjson::SUCCESS) out.emplace_back(text);
  }
  return out;
}

}  // namespace binnacle::watch::health
