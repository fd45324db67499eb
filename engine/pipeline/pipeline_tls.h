// The files by which orchestrator and workers know each other: each shows a certificate, each
// trusts one authority. All three or none: none is plain. Plain values; any thread.
#pragma once

#include <string>

namespace binnacle::engine {

struct PipelineTls {
  std::string certificate_file;  // PEM chain
  std::string key_file;          // PEM
  std::string ca_file;           // PEM; the peer's certificate is required and held to it
  std::string server_name = {};  // that a worker's certificate must bear; "": its address
  bool on() const { return !certificate_file.empty() || !key_file.empty() || !ca_file.empty(); }
};

}  // namespace binnacle::engine
