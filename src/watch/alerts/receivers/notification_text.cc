#include "watch/alerts/receivers/notification_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/utf8.h"
#include "net/oauth2_token.h"
#include "store/access/digest.h"

namespace binnacle::watch::alerts {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";
constexpr std::string_view kRedacted = "<redacted>";
constexpr size_t kMinSecretBytes = 4;  // shorter ones would tear the message apart

std::string sha256_hex(std::string_view text) {
  return store::access::to_hex(store::access::sha256(text));
}

// These reasons need no change of the alerts; the others come with one.
bool says_the_same_again(std::string_view reason) {
  return reason != "first" && reason != "new alerts" && reason != "resolved";
}

void replace_all(std::string& text, std::string_view from) {
  if (from.size() < kMinSecretBytes) return;
  for (size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + kRedacted.size())) {
    text.replace(at, from.size(), kRedacted);
  }
}

}  // namespace

std::string truncate_runes(std::string text, size_t limit) {
  size_t runes = 0;
  size_t keep = 0;  // bytes of all but the last character that fits
  size_t at = 0;
  while (at < text.size()) {
    if (runes + 1 == limit) keep = at;
    if (++runes > limit) {
      text.resize(keep);
      return text += kEllipsis;
    }
    at += utf8_step(std::string_view(text).substr(at)).bytes;
  }
  return text;
}

std::string dedup_key(const Notification& notification, std::string_view scope) {
  std::string text = fmt::format("{}\n{}\n{}\n{}", scope, notification.group_key,
                                 notification.dedup_id, notification.reason);
  // A mailbox drops what has the id of an earlier mail: a reminder must never be taken for one.
  if (notification.dedup_id.empty() && says_the_same_again(notification.reason))
    text += fmt::format("\n{}", notification.now_ms);
  for (const model::Alert& alert : notification.alerts) {
    const bool resolved = alert.resolved_at(notification.now_ms);
    text += fmt::format("\n{:016x} {} {}", model::alert_fingerprint(alert.labels),
                        alert.starts_at_ms, resolved ? alert.ends_at_ms : 0);
  }
  return sha256_hex(text);
}

std::string group_hash(const Notification& notification) {
  return sha256_hex(notification.group_key);
}

std::string go_time(int64_t unix_ms) {
  if (unix_ms == 0) return "0001-01-01T00:00:00Z";
  std::string text = format_rfc3339(unix_ms);
  text.pop_back();  // Z
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + "Z";
}

Result<std::string> read_secret(FileSystem& files, const Secret& secret) {
  if (secret.file.empty()) return secret.value;
  return net::read_secret_file(files, secret.file);
}

std::string without_secrets(std::string message, const std::string& url,
                            std::span<const std::string> secrets) {
  const size_t scheme = url.find("://");
  const size_t path = url.find_first_of("/?", scheme == std::string::npos ? 0 : scheme + 3);
  replace_all(message, url);
  if (path != std::string::npos) replace_all(message, std::string_view(url).substr(path));
  for (const std::string& secret : secrets) replace_all(message, secret);
  return message;
}

SendOutcome refusal(const Error& error) {
  return {.kind = error.code == Code::kUnauthenticated ? SendOutcome::Kind::kRetry
                                                       : SendOutcome::Kind::kFailed,
          .message = error.message};
}

}  // namespace binnacle::watch::alerts
