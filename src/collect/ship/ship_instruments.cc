#include "collect/ship/ship_instruments.h"

namespace binnacle::collect::ship {
namespace {

Counter& drop_counter(Registry& registry, const std::string& destination, const char* reason) {
  return registry.counter("binnacle_ship_samples_dropped_total",
                          "Samples that a receiver never gets, by reason: queue_full, queue_error, "
                          "unknown_series, refused, too_old.",
                          {{"destination", destination}, {"reason", reason}});
}

Counter& gap_counter(Registry& registry, const std::string& destination, const char* reason) {
  return registry.counter("binnacle_ship_gaps_total",
                          "Gaps in what a receiver gets, by reason; the log has their times.",
                          {{"destination", destination}, {"reason", reason}});
}

Counter& request_counter(Registry& registry, const std::string& destination, const char* outcome) {
  return registry.counter("binnacle_ship_requests_total",
                          "Requests of remote write by outcome: ok; refused, their samples are "
                          "dropped; slowed (429 or 503 with Retry-After) and failed, both tried "
                          "again.",
                          {{"destination", destination}, {"outcome", outcome}});
}

}  // namespace

QueueInstruments::QueueInstruments(Registry& registry, const std::string& destination)
    : appended(registry.counter("binnacle_ship_queue_samples_total",
                                "Samples put into the queue of a destination.",
                                {{"destination", destination}})),
      torn_bytes(registry.counter("binnacle_ship_queue_torn_bytes_total",
                                  "Bytes cut off a queue's end at a start: appends that were "
                                  "never acknowledged.",
                                  {{"destination", destination}})),
      errors(registry.counter("binnacle_ship_queue_errors_total",
                              "Reads, writes and syncs of a queue that failed.",
                              {{"destination", destination}})),
      bytes(registry.gauge("binnacle_ship_queue_bytes", "Size of a destination's queue on disk.",
                           {{"destination", destination}})),
      pending(registry.gauge("binnacle_ship_pending_samples",
                             "Samples in the queue that the receiver has not acknowledged.",
                             {{"destination", destination}})),
      gaps_full(gap_counter(registry, destination, "queue_full")),
      gaps_damaged(gap_counter(registry, destination, "damaged")),
      gaps_error(gap_counter(registry, destination, "queue_error")),
      queue_full(drop_counter(registry, destination, "queue_full")),
      queue_error(drop_counter(registry, destination, "queue_error")),
      unknown_series(drop_counter(registry, destination, "unknown_series")) {}

ShipInstruments::ShipInstruments(Registry& registry, const std::string& destination)
    : samples(registry.counter("binnacle_ship_samples_total", "Samples that a receiver took.",
                               {{"destination", destination}})),
      retried(registry.counter("binnacle_ship_samples_retried_total",
                               "Samples of requests that were tried again.",
                               {{"destination", destination}})),
      relabelled(registry.counter("binnacle_ship_samples_relabelled_away_total",
                                  "Samples that write_relabel_configs keep from a receiver.",
                                  {{"destination", destination}})),
      refused(drop_counter(registry, destination, "refused")),
      too_old(drop_counter(registry, destination, "too_old")),
      bytes(registry.counter("binnacle_ship_bytes_total",
                             "Bytes of request bodies that a receiver took, compressed.",
                             {{"destination", destination}})),
      metadata(registry.counter("binnacle_ship_metadata_total",
                                "Metrics whose type and help a receiver took.",
                                {{"destination", destination}})),
      requests_ok(request_counter(registry, destination, "ok")),
      requests_refused(request_counter(registry, destination, "refused")),
      requests_failed(request_counter(registry, destination, "failed")),
      requests_slowed(request_counter(registry, destination, "slowed")),
      seconds(registry.histogram("binnacle_ship_request_duration_seconds",
                                 "Time from a request to its answer or failure.", latency_bounds(),
                                 {{"destination", destination}})),
      resends(registry.counter("binnacle_ship_resends_total",
                               "Times a receiver came back after a broken connection and was sent "
                               "again what it had taken last.",
                               {{"destination", destination}})),
      shards(registry.gauge("binnacle_ship_shards", "Requests at once in the latest round.",
                            {{"destination", destination}})),
      oldest_seconds(registry.gauge("binnacle_ship_oldest_sample_age_seconds",
                                    "Age of the oldest sample that a receiver has not "
                                    "acknowledged, by sample time; 0: nothing waits.",
                                    {{"destination", destination}})) {}

}  // namespace binnacle::collect::ship
