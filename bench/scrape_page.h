// The series of bench/cluster_data.h as pages of text format 0.0.4: families together, with HELP
// and TYPE before each, as an exporter would write them.
#pragma once

#include <string>

#include "cluster_data.h"

namespace binnacle::bench {

// The page of the series [first, first + count).
std::string scrape_page(const ClusterData& data, size_t first, size_t count);

}  // namespace binnacle::bench
