// The Alertmanagers outside as the API shows them, without credentials, sorted. Dropped are those
// that relabelling has taken out, as they were found. Plain values.
#pragma once

#include <string>
#include <vector>

namespace binnacle::watch::rules {

struct AlertmanagerUrls {
  std::vector<std::string> active;
  std::vector<std::string> dropped;
};

}  // namespace binnacle::watch::rules
