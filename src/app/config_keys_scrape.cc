#include "app/config_keys.h"
#include "base/config_units.h"
#include "collect/scrape/scrape_manager.h"
#include "collect/ship/sample_queue.h"

namespace binnacle::app {

std::vector<ConfigKey> scrape_keys() {
  const collect::scrape::ScrapeOptions scrape;
  const collect::ship::QueueOptions queue;
  return {
      {.path = "collect.prometheus_config",
       .meaning =
           "A prometheus.yml: its `scrape_configs` are scraped, its `remote_write` receivers "
           "are sent every sample (`--prometheus-config`). Read again at each reload.",
       .reload = Reload::kLive},
      {.path = "collect.scrape.threads",
       .type = ConfigType::kInt,
       .default_text = std::to_string(scrape.threads),
       .unit = "threads",
       .meaning = "That parse and store what targets expose.",
       .min = "1",
       .max = "64"},
      {.path = "collect.scrape.max_concurrent",
       .type = ConfigType::kInt,
       .default_text = std::to_string(scrape.max_concurrent),
       .unit = "scrapes",
       .meaning = "Under way at once; others wait for their turn.",
       .min = "1",
       .max = "100000"},
      {.path = "collect.scrape.max_body_bytes",
       .type = ConfigType::kBytes,
       .default_text = format_bytes(static_cast<int64_t>(scrape.max_body_bytes)),
       .meaning = "Of a target's page, unpacked, where its job has no stricter `body_size_limit`.",
       .min = "1KiB",
       .max = "4GiB"},
      {.path = "collect.scrape.max_samples",
       .type = ConfigType::kInt,
       .default_text = std::to_string(scrape.page.max_samples),
       .unit = "samples",
       .meaning = "Of one page, where its job has no stricter `sample_limit`. What one series may "
                  "have of labels stands under `collect.receive`.",
       .min = "1",
       .max = "1000000000"},
      {.path = "collect.scrape.extra_metrics",
       .type = ConfigType::kBool,
       .default_text = scrape.page.extra_metrics ? "true" : "false",
       .meaning = "Also store `scrape_timeout_seconds`, `scrape_sample_limit` and "
                  "`scrape_body_size_bytes` of each target."},
      {.path = "ship.queue_max_bytes",
       .type = ConfigType::kBytes,
       .default_text = format_bytes(static_cast<int64_t>(queue.max_bytes)),
       .meaning = "Of samples on disk for each receiver of `remote_write`; the oldest go first.",
       .min = "1MiB",
       .max = "1000GB"},
  };
}

}  // namespace binnacle::app
