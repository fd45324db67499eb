#include "watch/alerts/alert_order.h"

#include <string_view>

namespace binnacle::watch::alerts {

bool set_before(model::LabelsView a, model::LabelsView b) {
  const size_t of_a = a.size();
  const size_t of_b = b.size();
  if (of_a != of_b) return of_a < of_b;
  auto x = a.begin();
  auto y = b.begin();
  for (; x != a.end() && y != b.end(); ++x, ++y) {
    if (x->name != y->name) return x->name > y->name;
    if (x->value != y->value) return x->value < y->value;
  }
  return false;
}

bool told_before(model::LabelsView a, model::LabelsView b) {
  for (const std::string_view name : {"job", "instance"}) {
    const std::string_view of_a = a.get(name);
    const std::string_view of_b = b.get(name);
    if (of_a == of_b) continue;
    if (of_a.empty()) return false;
    if (of_b.empty()) return true;
    return of_a < of_b;
  }
  return set_before(a, b);
}

}  // namespace binnacle::watch::alerts
