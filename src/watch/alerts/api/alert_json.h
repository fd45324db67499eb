// Alerts, groups and silences as Alertmanager's API v2 writes and reads them; the own API uses the
// same shapes and adds to them. Pure; any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watch/alerts/alert_service.h"

namespace binnacle::watch::alerts {

// "2026-01-02T03:04:05.678Z"; 0, which is no time, as Go prints its zero time.
std::string api_time(int64_t unix_ms);
// 16 hexadecimal digits, there and back. kInvalidArgument.
std::string fingerprint_text(uint64_t fingerprint);
Result<uint64_t> read_fingerprint(std::string_view text);

nlohmann::json labels_json(model::LabelsView labels);
nlohmann::json matcher_json(const model::Matcher& matcher);
nlohmann::json alert_json(const AlertView& view);
nlohmann::json group_json(const GroupView& group);
nlohmann::json silence_json(const Silence& silence, int64_t now_ms);

// In the order of Alertmanager: active ones by their end, pending ones by their start, then expired
// ones, the last to expire first.
void sort_silences(std::vector<Silence>& silences, int64_t now_ms);

struct PostedAlerts {
  std::vector<model::Alert> alerts;   // those that are fine, with start and update set
  std::vector<std::string> problems;  // one for each of the others
};

// A JSON list of alerts. kInvalidArgument: it is not a list.
Result<PostedAlerts> read_alerts(std::string_view body, int64_t now_ms);

// kInvalidArgument names the field.
Result<Silence> read_silence(std::string_view body, int64_t now_ms);

// What a filter of silences asks for: each matcher stands in the silence just so.
bool has_matchers(const Silence& silence, const model::Matchers& wanted);

}  // namespace binnacle::watch::alerts
