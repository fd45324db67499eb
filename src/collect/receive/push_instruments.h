// What the push API counts. Any thread.
#pragma once

#include "base/instruments.h"

namespace binnacle::collect::receive {

struct PushInstruments {
  explicit PushInstruments(Registry& registry)
      : groups(registry.gauge("binnacle_push_groups", "Groups that the push API holds.")),
        expired(registry.gauge("binnacle_push_expired_groups",
                               "Groups of the push API whose time to live is over.")),
        series(registry.gauge("binnacle_push_series", "Series that the push API holds.")),
        bytes(registry.gauge("binnacle_push_bytes", "Bytes of the pushed groups' files.")),
        samples(registry.counter("binnacle_push_samples_total",
                                 "Samples of pushed groups that were stored.")),
        refused(registry.counter("binnacle_push_refused_samples_total",
                                 "Samples of pushed groups that the store refused.")) {}
  Gauge& groups;
  Gauge& expired;
  Gauge& series;
  Gauge& bytes;
  Counter& samples;
  Counter& refused;
};

}  // namespace binnacle::collect::receive
