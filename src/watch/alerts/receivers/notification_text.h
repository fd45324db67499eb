// What all receivers share in making text of a notification: cutting to a service's limits, the key
// that tells a repetition from news, secrets kept out of messages. Pure functions but for
// read_secret.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file_system.h"
#include "watch/alerts/notification.h"

namespace binnacle::watch::alerts {

// As many characters as `limit`, the last an ellipsis where some were cut off.
std::string truncate_runes(std::string text, size_t limit);

// 64 hexadecimal digits: the same for each attempt to send this notification through `scope` (an
// integration), before and after a crash.
std::string dedup_key(const Notification& notification, std::string_view scope);
// SHA-256 of the group's key in hexadecimal digits, as Alertmanager gives it to services that keep
// one incident for a group.
std::string group_hash(const Notification& notification);

// RFC 3339 as Go writes a time: no zeros at the end of a fraction. 0: "0001-01-01T00:00:00Z".
std::string go_time(int64_t unix_ms);

// White space around it is taken off. kUnauthenticated names the file.
Result<std::string> read_secret(FileSystem& files, const Secret& secret);

// `message` with the URL's path and query and each secret replaced by <redacted>.
std::string without_secrets(std::string message, const std::string& url,
                            std::span<const std::string> secrets);

// What a failed preparation means: an unreadable secret may be there at the next attempt, a
// template that fails does so again.
SendOutcome refusal(const Error& error);

}  // namespace binnacle::watch::alerts
