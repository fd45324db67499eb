// Where and when older samples are read from: Prometheus' remote_read entry. A plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "net/http_client_config.h"

namespace binnacle::collect::ship {

struct RemoteReadOptions {
  std::string name;
  std::string url;
  net::HttpClientConfig http;
  std::vector<std::pair<std::string, std::string>> headers;
  int64_t remote_timeout_ms = 60'000;
  // True: every range is asked for; false: only what is older than the local store holds.
  bool read_recent = false;
  // Asked only by queries that have all of these as equality matchers.
  std::vector<std::pair<std::string, std::string>> required_matchers;
  // Put on what is asked, unless the query names the label, and taken off what comes back.
  std::vector<std::pair<std::string, std::string>> external_labels;
  bool filter_external_labels = true;
  // A failure is the query's error; otherwise its warning.
  bool required = false;
  size_t max_body_bytes = size_t{256} << 20;  // of an answer, decompressed
};

}  // namespace binnacle::collect::ship
