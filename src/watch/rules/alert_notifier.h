// Where the alerts of rules go: with the external labels and relabelled as Prometheus does it, to
// the router of this server and to Alertmanagers outside. Any thread but I/O threads.
#pragma once

#include <memory>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "model/alert.h"
#include "model/relabel.h"
#include "watch/rules/alertmanagers.h"

namespace binnacle::watch::rules {

class AlertNotifier {
 public:
  struct Settings {
    model::Labels external_labels;                  // of alerts that have no such label
    std::vector<model::RelabelRule> alert_relabel;  // may drop an alert
  };

  // Both outlive it. `router` null: there is none yet.
  AlertNotifier(model::AlertSink* router, Alertmanagers& outside)
      : router_(router), outside_(outside) {}

  void set(Settings settings) EXCLUDES(mu_);

  // An error: the router took none of them and is to be asked again. What it refuses for good
  // (kInvalidArgument) is logged and done with.
  Status put(std::vector<model::Alert> alerts) EXCLUDES(mu_);

 private:
  // Fixed after construction.
  model::AlertSink* const router_;
  Alertmanagers& outside_;

  Mutex mu_;
  std::shared_ptr<const Settings> settings_ GUARDED_BY(mu_) = std::make_shared<const Settings>();
};

}  // namespace binnacle::watch::rules
