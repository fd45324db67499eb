// The bounds and times of the router that an alertmanager.yml does not set. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace binnacle::watch::alerts {

struct AlertLimits {
  size_t max_alerts = 200'000;         // firing, and resolved ones that wait to be told
  size_t max_alert_bytes = 64 * 1024;  // labels, annotations and link of one alert
  size_t max_groups = 100'000;
  size_t max_silences = 10'000;  // expired ones that are kept included
  size_t max_silence_bytes = 64 * 1024;
  size_t max_acknowledgements = 100'000;

  int64_t retention_ms = int64_t{120} * 3'600'000;  // of ended silences and of the notification log
  int64_t history_max_age_ms = int64_t{90} * 86'400'000;
  int64_t history_max_count = 1'000'000;

  // A send may take as long as the group's interval, and at least this.
  int64_t min_send_ms = 10'000;
  size_t max_sends_at_once = 32;      // of one integration
  size_t max_sends_waiting = 10'000;  // of one integration

  int64_t silence_reminder_ms = 15 * 60'000;  // before a silence ends; 0: none

  // An alert that changes between firing and resolved more often than this within the window is
  // flapping, until it changed half as often. 0: never.
  size_t flap_changes = 10;
  int64_t flap_window_ms = 30 * 60'000;
};

}  // namespace binnacle::watch::alerts
