// What shipping counts about itself, by destination: binnacle_ship_*. Destinations that come again
// after a reload go on with their counts. Any thread.
#pragma once

#include <string>

#include "base/instruments.h"

namespace binnacle::collect::ship {

struct QueueInstruments {
  QueueInstruments(Registry& registry, const std::string& destination);

  Counter& appended;
  Counter& torn_bytes;
  Counter& errors;
  Gauge& bytes;
  Gauge& pending;
  Counter& gaps_full;
  Counter& gaps_damaged;
  Counter& gaps_error;
  // Samples dropped, by reason.
  Counter& queue_full;
  Counter& queue_error;
  Counter& unknown_series;
};

struct ShipInstruments {
  ShipInstruments(Registry& registry, const std::string& destination);

  Counter& samples;
  Counter& retried;
  Counter& relabelled;
  Counter& refused;
  Counter& too_old;
  Counter& bytes;
  Counter& metadata;
  Counter& requests_ok;
  Counter& requests_refused;
  Counter& requests_failed;
  Counter& requests_slowed;
  Histogram& seconds;
  Counter& resends;
  Gauge& shards;
  Gauge& oldest_seconds;
};

}  // namespace binnacle::collect::ship
