#include "watch/health/checks/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/utf8.h"

namespace binnacle::watch::health {
namespace {

constexpr size_t kMaxMessageBytes = 500;

}  // namespace

void Verdict::add(Health health, std::string text) {
  if (health == Health::kHealthy) return note(std::move(text));
  health_ = worse_of(health, health_);
  findings_.emplace_back(health, std::move(text));
}

void Verdict::judge(const Thresholds& thresholds, double value, std::string text) {
  const Health health = thresholds.judge(value);
  if (health == Health::kHealthy) return;
  const std::string why = thresholds.reason(value);
  if (!why.empty()) text += fmt::format(" ({}: {})", health_name(health), why);
  add(health, std::move(text));
}

Reading Verdict::reading() const {
  auto findings = findings_;
  std::ranges::stable_sort(findings, [](const auto& a, const auto& b) {
    return a.first != b.first && worse_of(a.first, b.first) == a.first;
  });
  std::string message;
  const auto append = [&message](const std::string& text) {
    if (!message.empty()) message += "; ";
    message += text;
  };
  for (const auto& [health, text] : findings) append(text);
  for (const std::string& text : notes_) append(text);
  return {.health = health_, .message = one_line(message, kMaxMessageBytes)};
}

Reading Verdict::reading(double value, std::string unit) const {
  Reading out = reading();
  out.value = value;
  out.unit = std::move(unit);
  return out;
}

Reading reading_of(const Error& error) {
  Reading out{.health = Health::kUnknown, .message = one_line(error.message, kMaxMessageBytes)};
  switch (error.code) {
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
    case Code::kDataLoss:
      out.health = Health::kFailed;
      break;
    case Code::kUnauthenticated:
    case Code::kPermissionDenied:
    case Code::kFailedPrecondition:
    case Code::kNotFound:
      out.health = Health::kCritical;
      break;
    default:
      break;
  }
  return out;
}

std::string one_line(std::string_view text, size_t max_bytes) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\r'))
    text.remove_suffix(1);
  std::string out(text.substr(0, max_bytes));
  while (!out.empty() && text.size() > out.size() && (out.back() & 0xC0) == 0x80) out.pop_back();
  const bool whole = is_valid_utf8(out);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = byte == '\n' || byte == '\t' || byte == '\r' ? ' ' : '?';
    if (byte >= 0x80 && !whole) c = '?';
  }
  if (text.size() > max_bytes) out += "...";
  return out;
}

std::string seconds_text(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 120) return fmt::format("{:.3g} s", seconds);
  if (seconds < 7'200) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 172'800) return fmt::format("{:.0f} h", seconds / 3'600);
  return fmt::format("{:.0f} days", seconds / 86'400);
}

std::string bytes_text(double bytes) {
  constexpr std::array<std::string_view, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  size_t unit = 0;
  while (std::abs(bytes) >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  // Four digits before the point would come as "1.02e+03".
  if (std::abs(bytes) >= 999.5) return fmt::format("{:.0f} {}", bytes, kUnits[unit]);
  return fmt::format("{:.3g} {}", bytes, kUnits[unit]);
}

}  // namespace binnacle::watch::health
