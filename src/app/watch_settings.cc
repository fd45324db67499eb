#include "app/watch_settings.h"

#include <utility>

namespace binnacle::app {
namespace {

using watch::heartbeat::DetectorOptions;
using watch::heartbeat::ExpectedNode;

constexpr size_t kMaxNodesFile = size_t{1} << 20;

DetectorOptions detector_options(const Config& config) {
  const auto ms = [&config](const char* name) {
    return config.get_duration_ms(std::string("heartbeat.") + name);
  };
  const auto number = [&config](const char* name) {
    return config.get_int(std::string("heartbeat.") + name);
  };
  DetectorOptions options;
  options.beat_interval_ms = config.get_duration_ms("link.beat_interval");
  options.phi.threshold = config.get_float("heartbeat.phi_threshold");
  options.phi.min_deviation_ms = ms("min_deviation");
  options.phi.pause_ms = ms("pause");
  options.longest_silence_ms = ms("longest_silence");
  options.fall = static_cast<uint32_t>(number("fall"));
  options.rise = static_cast<uint32_t>(number("rise"));
  options.confirmers = static_cast<size_t>(number("confirmers"));
  options.max_asked = std::max(options.max_asked, options.confirmers * 2 + 1);
  options.not_back_ms = ms("not_back");
  options.echo_interval_ms = ms("echo_interval");
  options.echo_span_ms = ms("echo_span");
  options.silent_down_ms = ms("silent_down");
  options.no_beat_limit_ms = ms("no_beat_limit");
  options.alone_limit_ms = ms("alone_limit");
  options.own_lag_ms = ms("own_lag");
  options.clock_jump_ms = ms("clock_jump");
  options.readmission.first_ms = ms("readmission.first");
  options.readmission.longest_ms = ms("readmission.longest");
  options.readmission.quiet_ms = ms("readmission.quiet");
  options.flapping.changes = static_cast<uint32_t>(number("flapping.changes"));
  options.flapping.window_ms = ms("flapping.window");
  return options;
}

Result<std::vector<ExpectedNode>> expected_nodes(const Config& config, FileSystem& files) {
  std::vector<ExpectedNode> nodes;
  for (size_t i = 0; i < config.list_size("cluster.nodes"); ++i) {
    const Config node = config.at("cluster.nodes", i);
    nodes.push_back({.name = node.get_string("name"),
                     .address = node.get_string("address"),
                     .role = node.get_string("role"),
                     .layers = node.get_strings("layers")});
    if (nodes.back().name.empty()) {
      return fail(Code::kInvalidArgument,
                  "cluster.nodes[" + std::to_string(i) + "]: give it the name of its agent");
    }
  }
  std::vector<ExpectedNode> more;
  if (const std::string& path = config.get_string("cluster.nodes_file"); !path.empty()) {
    TRY_ASSIGN(const std::string text, files.read_file(path, kMaxNodesFile));
    TRY_ASSIGN(more, watch::heartbeat::read_expected_nodes(path, text));
  }
  return join_expected_nodes(std::move(nodes), std::move(more));
}

}  // namespace

Result<watch::heartbeat::HeartbeatOptions> heartbeat_options(const Config& config,
                                                             FileSystem& files) {
  watch::heartbeat::HeartbeatOptions options;
  options.detector = detector_options(config);
  options.max_nodes = static_cast<size_t>(config.get_int("link.max_nodes"));
  options.join_grace_ms = config.get_duration_ms("cluster.join_grace");
  TRY_ASSIGN(options.expected, expected_nodes(config, files));
  return options;
}

watch::heartbeat::UpWriterOptions up_writer_options(const Config& config) {
  watch::heartbeat::UpWriterOptions options;
  options.interval_ms = config.get_duration_ms("heartbeat.up_interval");
  options.cluster = config.get_string("cluster.name");
  return options;
}

}  // namespace binnacle::app
