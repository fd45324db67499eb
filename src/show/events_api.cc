#include "show/events_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/clock.h"
#include "base/json_text.h"

namespace binnacle::show {
namespace {

Result<int64_t> whole_number(const net::Params& params, std::string_view name, int64_t if_absent) {
  const auto text = params.get(name);
  if (text.empty()) return if_absent;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: want a whole number (\"{:.64}\")", name, text));
  }
  return value;
}

void append_event(std::string& out, const model::Event& event) {
  fmt::format_to(std::back_inserter(out), R"({{"id":{},"time":"{}","kind":)", event.id,
                 format_rfc3339(event.time_ms));
  append_json_string(out, event.kind);
  out += ",\"subject\":";
  append_json_string(out, event.subject);
  fmt::format_to(std::back_inserter(out), R"(,"cause_id":{},"data":{}}})", event.cause_id,
                 event.data.empty() ? "{}" : event.data);
}

Result<std::string> recent_json(model::EventBus& events, const net::Params& params) {
  TRY_ASSIGN(const int64_t before, whole_number(params, "before", 0));
  TRY_ASSIGN(const int64_t limit, whole_number(params, "limit", 100));
  const size_t most = std::min(static_cast<size_t>(limit), kMaxEventsPerAnswer);
  TRY_ASSIGN(const auto recent, events.recent(params.get("kind"), before, most));
  std::string out = "{\"events\":[";
  for (const model::Event& event : recent) {
    if (out.back() == '}') out.push_back(',');
    append_event(out, event);
  }
  out += "]}";
  return out;
}

}  // namespace

Status register_events_api(net::Router& router, model::EventBus& events) {
  net::Route route;
  route.pattern = "/api/binnacle/v1/events";
  route.role = Role::kViewer;
  route.handler = [&events](const net::Request& request) {
    auto body = recent_json(events, request.params());
    return body ? net::Response::json(200, std::move(*body)) : net::Response::error(body.error());
  };
  return router.add(std::move(route));
}

}  // namespace binnacle::show
