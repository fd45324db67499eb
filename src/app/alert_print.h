// What `binnacle alert` shows for people, of the server's JSON. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace binnacle::app {

// A headline with counts, then a line an alert: what nobody looks after first, the gravest of it
// first.
std::string print_alerts(const nlohmann::json& alerts, int64_t now_ms);
// One alert in full, with what happened to it last.
std::string print_alert(const nlohmann::json& alert, const nlohmann::json& history, int64_t now_ms);
std::string print_silences(const nlohmann::json& silences, int64_t now_ms);
std::string print_alert_history(const nlohmann::json& entries);
std::string print_receivers(const nlohmann::json& receivers);
std::string print_receiver_test(const nlohmann::json& results);

// `{job="a"}` of an object of labels.
std::string labels_text(const nlohmann::json& labels);

}  // namespace binnacle::app
