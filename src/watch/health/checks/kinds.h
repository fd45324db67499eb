// Every kind of check: reads its own settings (docs/health-checks.md) and makes what the scheduler
// runs. A reader never returns null; what is wrong is a problem of the settings' document, and the
// check is then thrown away with all the others.
#pragma once

#include <memory>

#include "base/yaml_reader.h"
#include "watch/health/check.h"
#include "watch/health/check_spec.h"

namespace binnacle::watch::health {

struct KindInput {
  YamlValue settings;  // the map under the key of the kind's name; perhaps null
  const CheckSpec& spec;
  const CheckTools& tools;
  // From a file of the operator's: it may name programs and files with secrets.
  bool trusted = false;
};

std::unique_ptr<Check> read_http_check(const KindInput& input);
std::unique_ptr<Check> read_tcp_check(const KindInput& input);
std::unique_ptr<Check> read_tls_check(const KindInput& input);
std::unique_ptr<Check> read_dns_check(const KindInput& input);
std::unique_ptr<Check> read_models_check(const KindInput& input);
std::unique_ptr<Check> read_grpc_check(const KindInput& input);
std::unique_ptr<Check> read_postgres_check(const KindInput& input);
std::unique_ptr<Check> read_redis_check(const KindInput& input);
std::unique_ptr<Check> read_queue_depth_check(const KindInput& input);
std::unique_ptr<Check> read_exec_check(const KindInput& input);
std::unique_ptr<Check> read_promql_check(const KindInput& input);
std::unique_ptr<Check> read_preset_check(const KindInput& input);  // of preset_table.h

}  // namespace binnacle::watch::health
