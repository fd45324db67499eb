#include "collect/receive/remote_write_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace binnacle::collect::receive {
namespace {

constexpr std::string_view kMediaType = "application/x-protobuf";
constexpr std::string_view kMessage1 = "prometheus.WriteRequest";
constexpr std::string_view kMessage2 = "io.prometheus.write.v2.Request";

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// Up to the next ';', which is taken off.
std::string_view take_part(std::string_view& rest) {
  const size_t end = std::min(rest.find(';'), rest.size());
  const std::string_view part = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::optional<RemoteWriteVersion> version_of(std::string_view content_type) {
  if (content_type.empty()) return RemoteWriteVersion::k1;
  std::string_view rest = content_type;
  if (!net::equal_ignoring_case(take_part(rest), kMediaType)) return std::nullopt;
  while (!rest.empty()) {
    const std::string_view part = take_part(rest);
    const size_t equals = std::min(part.find('='), part.size());
    if (!net::equal_ignoring_case(trim(part.substr(0, equals)), "proto")) continue;
    if (equals == part.size()) return std::nullopt;
    const std::string_view message = unquoted(trim(part.substr(equals + 1)));
    if (message == kMessage1) return RemoteWriteVersion::k1;
    if (message == kMessage2) return RemoteWriteVersion::k2;
    return std::nullopt;
  }
  return RemoteWriteVersion::k1;
}

}  // namespace

Result<RemoteWriteVersion> check_remote_write_headers(const net::Request& request) {
  const std::string_view type = request.header("Content-Type");
  const auto version = version_of(type);
  if (!version) {
    return fail(Code::kInvalidArgument,
                fmt::format("Content-Type {:.100}: send {};proto={} (remote write 1.0) or proto={} "
                            "(2.0)",
                            type, kMediaType, kMessage1, kMessage2));
  }
  const std::string_view coding = request.header("Content-Encoding");
  if (!coding.empty() && !net::equal_ignoring_case(coding, "snappy")) {
    return fail(Code::kInvalidArgument,
                fmt::format("Content-Encoding {:.100}: send snappy (block format)", coding));
  }
  return *version;
}

}  // namespace binnacle::collect::receive
