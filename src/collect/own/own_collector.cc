#include "collect/own/own_collector.h"

namespace binnacle::collect::own {
namespace {

// Names the series before its labels are built: cheaper than sorting them at every tick.
void write_key(std::string& key, std::string_view name,
               std::span<const std::pair<std::string, std::string>> labels) {
  key.assign(name);
  for (const auto& [label, value] : labels) {
    key.push_back('\xff');
    key += label;
    key.push_back('\xff');
    key += value;
  }
}

}  // namespace

OwnCollector::OwnCollector(Registry& registry, model::Appendable& store, model::Labels labels)
    : registry_(registry),
      store_(store),
      labels_(std::move(labels)),
      up_(registry.gauge("up", "1 while this process collects itself.")) {}

Result<size_t> OwnCollector::collect_once(int64_t now_ms) {
  up_.set(1);
  const auto appender = store_.appender();
  size_t refused = 0;
  registry_.visit([&](std::string_view name,
                      std::span<const std::pair<std::string, std::string>> labels, double value) {
    write_key(key_, name, labels);
    const auto [it, fresh] = known_.try_emplace(key_);
    Known& known = it->second;
    if (fresh) {
      model::LabelsBuilder builder(labels_);
      builder.set(model::kMetricName, name);
      for (const auto& [label, label_value] : labels) builder.set(label, label_value);
      known.labels = builder.build();
    }
    const auto ref = appender->append(known.ref, known.labels, {now_ms, value});
    if (ref) {
      known.ref = *ref;
    } else {
      ++refused;
    }
  });
  TRY_ASSIGN(const model::CommitReport report, appender->commit());
  return refused + report.refused.size();
}

}  // namespace binnacle::collect::own
