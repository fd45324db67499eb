#include "net/response_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace binnacle::net {

namespace {

void append_number(std::string& out, uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_status_line(std::string& out, int status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  out += "HTTP/1.1 ";
  append_number(out, static_cast<uint64_t>(status));
  out += ' ';
  out += status_reason(status);
  out += "\r\n";
}

bool owned_by_framing(std::string_view name) {
  switch (name.size()) {
    case 4:
      return equal_ignoring_case(name, "Date");
    case 10:
      return equal_ignoring_case(name, "Connection");
    case 14:
      return equal_ignoring_case(name, "Content-Length");
    case 17:
      return equal_ignoring_case(name, "Transfer-Encoding");
    default:
      return false;
  }
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  const size_t begin = out.size();
  out += value;
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), is_control, ' ');
  out += "\r\n";
}

bool is_compressible(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  if (type == "text/event-stream") return false;
  static constexpr std::array<std::string_view, 6> kTypes = {
      "application/json",     "application/javascript",
      "application/xml",      "application/openmetrics-text",
      "application/x-ndjson", "image/svg+xml"};
  return type.starts_with("text/") || type.ends_with("+json") || type.ends_with("+xml") ||
         std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

}  // namespace

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

void append_response_head(std::string& out, const Headers& headers,
                          const ResponseFraming& framing) {
  append_status_line(out, framing.status);
  out += framing.date_line;
  for (const auto& [name, value] : headers.all()) {
    if (!owned_by_framing(name)) append_field(out, name, value);
  }
  if (framing.content_length) {
    out += "Content-Length: ";
    append_number(out, *framing.content_length);
    out += "\r\n";
  }
  if (framing.chunked) out += "Transfer-Encoding: chunked\r\n";
  if (!framing.keep_alive) {
    out += "Connection: close\r\n";
  } else if (framing.http10) {
    out += "Connection: keep-alive\r\n";
  }
  if (!framing.request_id.empty()) append_field(out, "X-Request-Id", framing.request_id);
  out += "\r\n";
}

Coding choose_coding(Headers& headers, int status, std::string_view accept_encoding,
                     std::optional<size_t> size, size_t compress_from_bytes) {
  if (!status_has_body(status) || status == 206 ||
      size.value_or(compress_from_bytes) < compress_from_bytes || headers.has("Content-Encoding") ||
      !is_compressible(headers.get("Content-Type"))) {
    return Coding::kIdentity;
  }
  if (!headers.has("Vary")) headers.add("Vary", "Accept-Encoding");
  const Coding coding = negotiate_coding(accept_encoding);
  if (coding == Coding::kIdentity) return coding;
  headers.add("Content-Encoding", coding_name(coding));
  // Other bytes than those the handler tagged: only a weak comparison may match (RFC 9110
  // section 8.8.3.3).
  if (const std::string_view tag = headers.get("ETag"); tag.starts_with('"'))
    headers.set("ETag", "W/" + std::string(tag));
  return coding;
}

std::string format_date_line(int64_t wall_seconds) {
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(wall_seconds);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 64> line;
  const int length =
      std::snprintf(line.data(), line.size(), "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                    kDays[static_cast<size_t>(utc.tm_wday)], utc.tm_mday,
                    kMonths[static_cast<size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                    utc.tm_min, utc.tm_sec);
  return {line.data(), static_cast<size_t>(length)};
}

}  // namespace binnacle::net
