#include "watch/alerts/alert_instruments.h"

namespace binnacle::watch::alerts {
namespace {

constexpr const char* kKinds[] = {"webhook",   "slack",   "email",    "pagerduty", "msteams",
                                  "msteamsv2", "discord", "telegram", "exec"};
constexpr const char* kReasons[] = {"inhibition", "time_interval", "silence", "maintenance"};

}  // namespace

AlertInstruments::AlertInstruments(Registry& r)
    : registry(r),
      received_firing(
          r.counter("binnacle_alerts_received_total", "Alerts received.", {{"status", "firing"}})),
      received_resolved(r.counter("binnacle_alerts_received_total", "Alerts received.",
                                  {{"status", "resolved"}})),
      invalid(r.counter("binnacle_alerts_invalid_total", "Alerts received and refused.")),
      group_limit_reached(
          r.counter("binnacle_alert_group_limit_reached_total",
                    "Alerts not grouped, since there were as many groups as there may be.")),
      escalations(r.counter("binnacle_alert_escalations_total",
                            "Steps of escalation policies that were taken.")),
      commits_failed(r.counter("binnacle_alert_commits_failed_total",
                               "Writes of alert state to the state file that failed.")),
      history_dropped(r.counter("binnacle_alert_history_dropped_total",
                                "Lines of the history dropped while they could not be written.")),
      firing(r.gauge("binnacle_alerts", "Alerts held.", {{"state", "firing"}})),
      resolved(r.gauge("binnacle_alerts", "Alerts held.", {{"state", "resolved"}})),
      groups(r.gauge("binnacle_alert_groups", "Groups of alerts.")),
      silences_active(r.gauge("binnacle_alert_silences", "Silences.", {{"state", "active"}})),
      silences_pending(r.gauge("binnacle_alert_silences", "Silences.", {{"state", "pending"}})),
      silences_expired(r.gauge("binnacle_alert_silences", "Silences.", {{"state", "expired"}})),
      acknowledged(r.gauge("binnacle_alert_acknowledgements", "Alerts acknowledged.")),
      flapping(r.gauge("binnacle_alert_flapping", "Alerts that flap.")),
      sends_waiting(r.gauge("binnacle_notifications_waiting",
                            "Notifications on their way: waiting, being sent or to be "
                            "retried.")) {  // There from the start, so that the first failure is
                                            // a rise that an alert can see.
  for (const char* kind : kKinds) {
    notifications(kind);
    notifications_failed(kind);
    requests(kind);
    requests_failed(kind);
    latency(kind);
  }
  for (const char* reason : kReasons) suppressed(reason);
}

Counter& AlertInstruments::notifications(const std::string& integration) {
  return registry.counter("binnacle_notifications_total", "Notifications attempted.",
                          {{"integration", integration}});
}

Counter& AlertInstruments::notifications_failed(const std::string& integration) {
  return registry.counter("binnacle_notifications_failed_total",
                          "Notifications given up: refused, or not sent before the deadline.",
                          {{"integration", integration}});
}

Counter& AlertInstruments::requests(const std::string& integration) {
  return registry.counter("binnacle_notification_requests_total",
                          "Attempts to send a notification, retries included.",
                          {{"integration", integration}});
}

Counter& AlertInstruments::requests_failed(const std::string& integration) {
  return registry.counter("binnacle_notification_requests_failed_total",
                          "Attempts to send a notification that failed.",
                          {{"integration", integration}});
}

Histogram& AlertInstruments::latency(const std::string& integration) {
  return registry.histogram("binnacle_notification_latency_seconds",
                            "Time that an attempt to send a notification took.", latency_bounds(),
                            {{"integration", integration}});
}

Counter& AlertInstruments::suppressed(const std::string& reason) {
  return registry.counter("binnacle_notifications_suppressed_total",
                          "Alerts kept out of notifications, by what kept them out.",
                          {{"reason", reason}});
}

}  // namespace binnacle::watch::alerts
