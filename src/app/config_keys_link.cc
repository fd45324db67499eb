#include "app/config_keys.h"
#include "base/config_units.h"
#include "link/link_server.h"

namespace binnacle::app {

std::vector<ConfigKey> link_keys() {
  const link::LinkServerOptions options;
  return {
      {.path = "link.beat_interval",
       .type = ConfigType::kDuration,
       .default_text = format_duration_ms(options.session.beat_interval_ms),
       .meaning = "How often agents tell this server that they live.",
       .min = "50ms",
       .max = "10s"},
      {.path = "link.silence_limit",
       .type = ConfigType::kDuration,
       .default_text = format_duration_ms(options.session.silence_limit_ms),
       .meaning = "How long an agent may be silent before its connection is closed.",
       .min = "1s",
       .max = "10m"},
      {.path = "link.echo_listen",
       .default_text = ":0",
       .meaning = "`:port` or `host:port` (UDP) from which this server sends echoes to nodes that "
                  "it suspects. `off`: peers alone do."},
      {.path = "link.max_nodes",
       .type = ConfigType::kInt,
       .default_text = std::to_string(options.max_nodes),
       .unit = "nodes",
       .meaning = "That are connected or remembered; the longest gone makes room, further ones "
                  "are refused.",
       .min = "1",
       .max = "100000"},
  };
}

}  // namespace binnacle::app
