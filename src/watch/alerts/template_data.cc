#include "watch/alerts/template_data.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/template_text_functions.h"
#include "watch/alerts/template_objects.h"

namespace binnacle::watch::alerts {
namespace {

using Args = std::span<const TemplateValue>;
using Texts = std::map<std::string, std::string, std::less<>>;

// Labels or annotations by name.
class KeyValues final : public JsonObject {
 public:
  explicit KeyValues(Texts texts) : texts_(std::move(texts)) {}

  Result<TemplateValue> get(std::string_view name, Args args) const override {
    if (name == "Remove") return remove(args);
    if (!args.empty())
      return fail(Code::kInvalidArgument, fmt::format("{} takes no argument", name));
    if (name == "SortedPairs") return make_template_pairs(sorted());
    if (name == "Names" || name == "Values") {
      std::vector<std::string> out;
      for (const TextPair& pair : sorted())
        out.push_back(name == "Names" ? pair.first : pair.second);
      return make_template_strings(std::move(out));
    }
    return lookup(name);
  }
  std::string text() const override { return template_pairs_text(sorted()); }
  bool truth() const override { return !texts_.empty(); }
  Result<TemplateValue> index(const TemplateValue& key) const override {
    TRY_ASSIGN(const std::string name, template_string("index", key));
    return lookup(name);
  }
  Result<TemplateItems> items() const override {
    TemplateItems out;
    for (const auto& [name, value] : texts_) out.emplace_back(name, value);
    return out;
  }
  Status append_json(std::string& out, int depth) const override {
    TemplateValue::Map map;
    for (const auto& [name, value] : texts_) map.emplace(name, value);
    return append_template_json(out, TemplateValue(std::move(map)), depth);
  }

 private:
  TemplateValue lookup(std::string_view name) const {
    const auto found = texts_.find(name);
    return found == texts_.end() ? TemplateValue("") : TemplateValue(found->second);
  }

  // By name, the alert's own name first.
  std::vector<TextPair> sorted() const {
    std::vector<TextPair> out(texts_.begin(), texts_.end());
    std::ranges::stable_partition(out,
                                  [](const TextPair& p) { return p.first == model::kAlertName; });
    return out;
  }

  Result<TemplateValue> remove(Args args) const {
    TRY(template_want("Remove", args, 1));
    TRY_ASSIGN(const std::vector<std::string> names, template_strings("Remove", args[0]));
    Texts out = texts_;
    for (const std::string& name : names) out.erase(name);
    return TemplateValue(
        std::shared_ptr<const TemplateObject>(std::make_shared<KeyValues>(std::move(out))));
  }

  Texts texts_;
};

TemplateTime time_of(int64_t unix_ms) {
  return {unix_ms == 0 ? TemplateTime::kUnset : unix_ms * 1'000'000, ""};
}

TemplateValue alert_data(const model::Alert& alert, int64_t now_ms) {
  return make_template_struct({
      {"Status", "status", alert.resolved_at(now_ms) ? "resolved" : "firing"},
      {"Labels", "labels", template_key_values(alert.labels)},
      {"Annotations", "annotations", template_key_values(alert.annotations)},
      {"StartsAt", "startsAt", time_of(alert.starts_at_ms)},
      {"EndsAt", "endsAt", time_of(alert.ends_at_ms)},
      {"GeneratorURL", "generatorURL", alert.generator_url},
      {"Fingerprint", "fingerprint",
       fmt::format("{:016x}", model::alert_fingerprint(alert.labels))},
  });
}

// What all alerts have the same.
template <typename Get>
model::Labels common(const std::vector<model::Alert>& alerts, Get get) {
  if (alerts.empty()) return {};
  model::LabelsBuilder out(get(alerts.front()));
  for (const model::Label& label : get(alerts.front()).view()) {
    const bool everywhere = std::ranges::all_of(alerts, [&](const model::Alert& alert) {
      return get(alert).get(label.name) == label.value;
    });
    if (!everywhere) out.remove(label.name);
  }
  return out.build();
}

// Alertmanager gives the receiver's name with what a regex would take amiss escaped.
std::string quote_meta(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

TemplateValue template_key_values(model::LabelsView labels) {
  Texts texts;
  for (const model::Label& label : labels) texts.emplace(label.name, label.value);
  return TemplateValue(
      std::shared_ptr<const TemplateObject>(std::make_shared<KeyValues>(std::move(texts))));
}

TemplateValue template_data(const Notification& notification) {
  TemplateValue::List all;
  TemplateValue::List firing;
  TemplateValue::List resolved;
  for (const model::Alert& alert : notification.alerts) {
    all.push_back(alert_data(alert, notification.now_ms));
    (alert.resolved_at(notification.now_ms) ? resolved : firing).push_back(all.back());
  }
  const bool fires = !firing.empty();
  const auto labels = [](const model::Alert& alert) -> const model::Labels& {
    return alert.labels;
  };
  const auto annotations = [](const model::Alert& alert) -> const model::Labels& {
    return alert.annotations;
  };
  return make_template_struct({
      {"Receiver", "receiver", quote_meta(notification.receiver)},
      {"Status", "status", fires ? "firing" : "resolved"},
      {"Alerts", "alerts",
       make_template_alerts(std::move(firing), std::move(resolved), std::move(all))},
      {"NotificationReason", "notification_reason", notification.reason},
      {"GroupLabels", "groupLabels", template_key_values(notification.group_labels)},
      {"CommonLabels", "commonLabels", template_key_values(common(notification.alerts, labels))},
      {"CommonAnnotations", "commonAnnotations",
       template_key_values(common(notification.alerts, annotations))},
      {"RouteLabels", "routeLabels", template_key_values(notification.route_labels)},
      {"ExternalURL", "externalURL", notification.external_url},
      {"Context", "context", make_template_pairs(notification.context)},
  });
}

Result<std::vector<std::string>> template_strings(std::string_view function,
                                                  const TemplateValue& value) {
  std::vector<std::string> out;
  const auto add = [&](const TemplateValue& item) -> Status {
    TRY_ASSIGN(std::string text, template_string(function, item));
    out.push_back(std::move(text));
    return {};
  };
  if (const auto* list = std::get_if<std::shared_ptr<const TemplateValue::List>>(&value.data())) {
    for (const TemplateValue& item : **list) TRY(add(item));
    return out;
  }
  const auto* object = std::get_if<std::shared_ptr<const TemplateObject>>(&value.data());
  if (!object)
    return fail(Code::kInvalidArgument, fmt::format("{}: wants a list of strings", function));
  TRY_ASSIGN(const TemplateItems items, (*object)->items());
  for (const auto& [key, item] : items) TRY(add(item));
  return out;
}

Result<std::string> template_json(const TemplateValue& value) {
  std::string out;
  TRY(append_template_json(out, value, 0));
  return out;
}

}  // namespace binnacle::watch::alerts
