#include "collect/scrape/scrape_instruments.h"

#include <string>

namespace binnacle::collect::scrape {
namespace {

constexpr std::string_view kOutcomeNames[kScrapeOutcomes] = {
    "good", "unreachable", "timeout", "status", "body", "limit", "store", "overload"};

Counter& limit_hits(Registry& registry, std::string limit) {
  return registry.counter("binnacle_scrape_limit_hits_total",
                          "Scrapes and target lists over a limit of their job, or of all jobs.",
                          {{"limit", std::move(limit)}});
}

Counter& refused_for(Registry& registry, std::string reason) {
  return registry.counter("binnacle_scrape_samples_refused_total",
                          "Scraped samples that were not stored while the rest of their page was.",
                          {{"reason", std::move(reason)}});
}

}  // namespace

std::string_view target_health_name(TargetHealth health) {
  constexpr std::string_view kNames[] = {"unknown", "up", "down"};
  return kNames[static_cast<size_t>(health)];
}

ScrapeInstruments::ScrapeInstruments(Registry& registry)
    : duration_seconds(registry.histogram("binnacle_scrape_duration_seconds",
                                          "From the request to the end of the parsing.",
                                          latency_bounds())),
      body_bytes(registry.counter("binnacle_scrape_body_bytes_total",
                                  "Bytes of scraped pages, unpacked.")),
      samples(registry.counter("binnacle_scrape_samples_total", "Samples that pages held.")),
      series_added(registry.counter("binnacle_scrape_series_added_total",
                                    "Series that the page before did not have.")),
      stale_markers(registry.counter("binnacle_scrape_stale_markers_total",
                                     "Markers written for series that were gone.")),
      duplicates(refused_for(registry, "twice_in_page")),
      sample_limit(limit_hits(registry, "sample_limit")),
      max_samples(limit_hits(registry, "max_samples")),
      label_limits(limit_hits(registry, "label_limits")),
      body_size_limit(limit_hits(registry, "body_size_limit")),
      target_limit(limit_hits(registry, "target_limit")),
      unusable_targets(registry.counter("binnacle_scrape_unusable_targets_total",
                                        "Discovered targets without a usable address, interval or "
                                        "timeout, each time their list came.")),
      late(registry.counter("binnacle_scrape_skipped_total",
                            "Scrapes left out because the one before took too long.")),
      out_of_range_(refused_for(registry, "time_out_of_range")),
      other_value_(refused_for(registry, "other_value_at_that_time")),
      series_limit_(refused_for(registry, "series_limit")),
      bad_labels_(refused_for(registry, "labels")) {
  for (size_t i = 0; i < kScrapeOutcomes; ++i) {
    scrapes_[i] = &registry.counter("binnacle_scrapes_total", "Scrapes by how they ended.",
                                    {{"outcome", std::string(kOutcomeNames[i])}});
  }
  for (size_t i = 0; i < targets_.size(); ++i) {
    const auto health = static_cast<TargetHealth>(i);
    targets_[i] = &registry.gauge("binnacle_scrape_targets", "Targets that are being scraped.",
                                  {{"health", std::string(target_health_name(health))}});
  }
}

Counter& ScrapeInstruments::refused(Code code) {
  switch (code) {
    case Code::kOutOfRange:
      return out_of_range_;
    case Code::kAlreadyExists:
      return other_value_;
    case Code::kResourceExhausted:
      return series_limit_;
    default:
      return bad_labels_;
  }
}

}  // namespace binnacle::collect::scrape
