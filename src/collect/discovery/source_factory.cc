#include "collect/discovery/source_factory.h"

#include <algorithm>

#include "collect/discovery/dns_refresher.h"
#include "collect/discovery/file_refresher.h"
#include "collect/discovery/http_refresher.h"
#include "collect/discovery/kubernetes_source.h"

namespace binnacle::collect::discovery {
namespace {

using std::chrono::milliseconds;

// Knows its targets from the start, for good.
class StaticSource final : public model::TargetSource {
 public:
  StaticSource(StaticConfig config, SourceHealth& health)
      : config_(std::move(config)), health_(health) {}
  void start(Update update) override {
    health_.succeeded();
    update(config_.groups);
  }
  void stop() override {}

 private:
  const StaticConfig config_;
  SourceHealth& health_;
};

class Maker {
 public:
  Maker(const SourceParts& parts, SourceHealth& health) : parts_(parts), health_(health) {}

  std::unique_ptr<model::TargetSource> operator()(const StaticConfig& config) const {
    return std::make_unique<StaticSource>(config, health_);
  }
  std::unique_ptr<model::TargetSource> operator()(const FileSdConfig& config) const {
    return repeated(std::make_unique<FileRefresher>(config, parts_.files, parts_.pool),
                    std::min(config.refresh_interval_ms, kFileLookMs));
  }
  std::unique_ptr<model::TargetSource> operator()(const HttpSdConfig& config) const {
    return repeated(
        std::make_unique<HttpRefresher>(config, parts_.files, parts_.clock, parts_.pool),
        config.refresh_interval_ms);
  }
  std::unique_ptr<model::TargetSource> operator()(const DnsSdConfig& config) const {
    const auto lookup = [](const std::string& name, net::DnsType type) {
      return net::query_dns(name, type);
    };
    return repeated(std::make_unique<DnsRefresher>(config, lookup, parts_.pool),
                    config.refresh_interval_ms);
  }
  std::unique_ptr<model::TargetSource> operator()(const KubernetesSdConfig& config) const {
    return std::make_unique<KubernetesSource>(
        config,
        KubernetesParts{parts_.io, parts_.files, parts_.clock, parts_.pool, parts_.random,
                        parts_.pod},
        health_);
  }

 private:
  std::unique_ptr<model::TargetSource> repeated(std::unique_ptr<Refresher> refresher,
                                                int64_t interval_ms) const {
    return std::make_unique<RefreshSource>(std::move(refresher), milliseconds(interval_ms),
                                           parts_.io, health_);
  }

  const SourceParts& parts_;
  SourceHealth& health_;
};

}  // namespace

SourceFactory source_factory(const SourceParts& parts) {
  return [parts](const SourceConfig& config, SourceHealth& health) {
    return std::visit(Maker(parts, health), config.config);
  };
}

}  // namespace binnacle::collect::discovery
