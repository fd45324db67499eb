#include "model/labels.h"
#include "watch/alerts/alert_config.h"

namespace binnacle::watch::alerts {
namespace {

bool collect(const Route& route, model::LabelsView alert, std::vector<const Route*>& out) {
  if (!model::matches_all(route.matchers, alert)) return false;
  const size_t before = out.size();
  for (const Route& below : route.routes) {
    if (collect(below, alert, out) && !below.continues) break;
  }
  if (out.size() == before) out.push_back(&route);
  return true;
}

}  // namespace

std::vector<const Route*> routes_of(const Route& root, model::LabelsView alert) {
  std::vector<const Route*> out;
  collect(root, alert, out);
  return out;
}

model::Labels group_labels(const Route& route, model::LabelsView alert) {
  if (route.group_by_all) return model::Labels(alert);
  model::LabelsBuilder out;
  for (const std::string& name : route.group_by) out.set(name, alert.get(name));
  return out.build();
}

}  // namespace binnacle::watch::alerts
