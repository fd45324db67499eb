// Targets from a Kubernetes cluster (`kubernetes_sd_configs`): the objects of a role and those that
// it looks at are watched, and the groups that change are handed on. Nothing is handed on before
// every kind was listed once; while the API is away the last good targets stay.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "collect/discovery/kubernetes_access.h"
#include "collect/discovery/kubernetes_watch.h"
#include "collect/discovery/source_config.h"
#include "collect/discovery/source_health.h"
#include "model/target.h"
#include "net/io_threads.h"

namespace binnacle::collect::discovery {

// All references outlive the source.
struct KubernetesParts {
  net::IoThreads& io;
  FileSystem& files;
  const Clock& clock;
  ThreadPool& pool;
  Random& random;
  PodEnvironment pod;
  KubernetesTiming timing = {};
};

class KubernetesSource final : public model::TargetSource {
 public:
  KubernetesSource(KubernetesSdConfig config, const KubernetesParts& parts, SourceHealth& health);
  ~KubernetesSource() override;

  void start(Update update) override;
  void stop() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::collect::discovery
