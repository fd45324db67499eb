// For tests of templates: a notification of an alert that fires and one that is resolved, and the
// templates that every receiver has, at a time that stands still.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/file_system.h"
#include "watch/alerts/template_data.h"
#include "watch/alerts/template_functions.h"

namespace binnacle::watch::alerts {

inline constexpr int64_t kTemplatesNow = 1'700'000'000'000;  // 2023-11-14T22:13:20Z

inline Notification template_notification() {
  Notification out;
  out.receiver = "team.x-1";
  out.group_labels = model::Labels{{"alertname", "Down"}};
  out.route_labels = model::Labels{{"team", "x"}};
  out.alerts = {{.labels = model::Labels{{"alertname", "Down"}, {"job", "node"}, {"instance", "a"}},
                 .annotations = model::Labels{{"summary", "a is <down> & 'out'"}, {"runbook", "r"}},
                 .starts_at_ms = kTemplatesNow - 90'123,
                 .generator_url = "http://prom/graph?a=1&b=2"},
                {.labels = model::Labels{{"alertname", "Down"}, {"job", "node"}, {"instance", "b"}},
                 .annotations = model::Labels{{"summary", "b is down"}, {"runbook", "r"}},
                 .starts_at_ms = kTemplatesNow - 60'000,
                 .ends_at_ms = kTemplatesNow - 1'000}};
  out.now_ms = kTemplatesNow;
  out.external_url = "http://alerts.example";
  out.reason = "first";
  out.context = {{"value", "0"}};
  return out;
}

class TemplatesTest : public testing::Test {
 protected:
  Result<std::string> expanded(std::string_view text,
                               TemplateEscape escape = TemplateEscape::kNone) const {
    return set_->expand("t", text, template_data(template_notification()), escape);
  }

  FileSystem& files_ = real_file_system();
  const SimulatedClock clock_{kTemplatesNow * 1'000'000};
  const std::shared_ptr<const TemplateSet> set_ = *notification_templates({}, files_, clock_);
};

}  // namespace binnacle::watch::alerts
