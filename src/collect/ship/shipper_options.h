// How samples are sent to one receiver: Prometheus' remote_write entry with its queue_config, and
// the bounds of a replay. A plain value; defaults as Prometheus has them where it has them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/relabel.h"
#include "net/http_client_config.h"

namespace binnacle::collect::ship {

struct ShipperOptions {
  std::string name;  // of the destination, in instruments and log lines; unique
  std::string url;
  net::HttpClientConfig http;
  std::vector<std::pair<std::string, std::string>> headers;
  int64_t remote_timeout_ms = 30'000;  // of one request

  // Labels that a series lacks are added, then the rules run: as Prometheus does it.
  std::vector<std::pair<std::string, std::string>> external_labels;
  std::vector<model::RelabelRule> write_relabel;

  size_t min_shards = 1;  // requests at once; series keep their shard, so that their order holds
  size_t max_shards = 50;
  size_t max_samples_per_send = 2000;
  int64_t batch_send_deadline_ms = 5000;  // a smaller request leaves after that time
  int64_t sync_after_ms = 1000;  // what is not delivered by then is made durable in the queue
  int64_t min_backoff_ms = 30;
  int64_t max_backoff_ms = 5000;
  int64_t max_retry_after_ms = 5 * 60 * 1000;  // a receiver may not put us off for longer at once
  int64_t sample_age_limit_ms = 0;             // older samples are dropped; 0: none

  // A receiver that died may have lost what it had taken shortly before: once it is back after a
  // broken connection, what it took in that time is sent again. 0: never.
  int64_t resend_ms = 30'000;

  // Most samples a second while the oldest waits for longer than `replay_after_ms`; never less than
  // twice what comes in, so that a backlog drains. 0: no bound.
  double replay_samples_per_second = 0;
  int64_t replay_after_ms = 60'000;

  bool send_metadata = true;
  int64_t metadata_interval_ms = 60'000;
  size_t max_metadata_per_send = 2000;

  int64_t flush_deadline_ms = 5000;  // what a stop gives requests in flight

  bool operator==(const ShipperOptions&) const = default;
};

}  // namespace binnacle::collect::ship
