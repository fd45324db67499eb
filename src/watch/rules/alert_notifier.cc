#include "watch/rules/alert_notifier.h"

#include <utility>

#include "base/log.h"

namespace binnacle::watch::rules {

void AlertNotifier::set(Settings settings) {
  auto next = std::make_shared<const Settings>(std::move(settings));
  MutexLock lock(mu_);
  settings_ = std::move(next);
}

Status AlertNotifier::put(std::vector<model::Alert> alerts) {
  std::shared_ptr<const Settings> settings;
  {
    MutexLock lock(mu_);
    settings = settings_;
  }
  std::vector<model::Alert> out;
  out.reserve(alerts.size());
  for (model::Alert& alert : alerts) {
    model::LabelsBuilder labels(settings->external_labels);
    for (const model::Label& label : alert.labels) labels.set(label.name, label.value);
    auto relabelled = model::relabel(settings->alert_relabel, labels.build());
    if (!relabelled || relabelled->empty()) continue;
    alert.labels = *std::move(relabelled);
    out.push_back(std::move(alert));
  }
  if (out.empty()) return {};
  outside_.send(out);
  if (router_ == nullptr) return {};
  Status taken = router_->put(std::move(out));
  if (taken || taken.error().code != Code::kInvalidArgument) return taken;
  Log("rules").error("the router refused alerts", {{"error", taken.error().message}});
  return {};
}

}  // namespace binnacle::watch::rules
