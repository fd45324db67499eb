// A group as a file: docs/formats/push.md.
#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <nlohmann/json.hpp>

#include "base/crc32c.h"
#include "base/json_parse.h"
#include "collect/receive/push_group.h"
#include "collect/receive/push_json.h"
#include "collect/receive/push_text.h"

namespace binnacle::collect::receive {
namespace {

constexpr std::string_view kMagic = "binnacle-push ";
constexpr std::string_view kVersion = "1";
// What was taken once is taken again, whatever the limits are now.
constexpr LabelLimits kNoLimits{SIZE_MAX, SIZE_MAX, SIZE_MAX};

// Types that the text format has no word for stand in the header.
bool is_only_openmetrics(model::MetricType type) {
  return type == model::MetricType::kInfo || type == model::MetricType::kStateset ||
         type == model::MetricType::kGaugeHistogram;
}

model::MetricType type_named(std::string_view name) {
  for (const auto type : {model::MetricType::kInfo, model::MetricType::kStateset,
                          model::MetricType::kGaugeHistogram}) {
    if (push_type_name(type) == name) return type;
  }
  return model::MetricType::kUnknown;
}

Unexpected broken(std::string_view why) {
  return fail(Code::kDataLoss, fmt::format("pushed group: {}", why));
}

Result<PushGroup> read_header(std::string_view line) {
  PushGroup group;
  try {
    const auto header = parse_json(line);
    model::LabelsBuilder key;
    for (const auto& [name, value] : header.at("labels").items())
      key.set(name, value.get<std::string>());
    group.key = key.build();
    group.pushed_ms = header.at("pushed_ms").get<int64_t>();
    group.failed_ms = header.at("failed_ms").get<int64_t>();
    group.ttl_ms = header.at("ttl_ms").get<int64_t>();
    for (const auto& [name, type] : header.at("types").items())
      group.families[name].metadata.type = type_named(type.get<std::string>());
  } catch (const std::exception& e) {
    return broken(e.what());
  }
  return group;
}

}  // namespace

std::string push_file_name(const model::Labels& key) {
  return fmt::format("{:016x}.group", key.hash());
}

std::string write_push_file(const PushGroup& group) {
  nlohmann::json header = {{"pushed_ms", group.pushed_ms},
                           {"failed_ms", group.failed_ms},
                           {"ttl_ms", group.ttl_ms},
                           {"labels", nlohmann::json::object()},
                           {"types", nlohmann::json::object()}};
  for (const auto& [name, value] : group.key) header["labels"][std::string(name)] = value;
  for (const auto& [name, family] : group.families) {
    if (is_only_openmetrics(family.metadata.type))
      header["types"][name] = push_type_name(family.metadata.type);
  }
  std::string text = header.dump() + "\n";
  for (const auto& [name, family] : group.families) {
    const auto type = family.metadata.type;
    append_push_text(
        text, name,
        {is_only_openmetrics(type) ? model::MetricType::kUnknown : type, family.metadata.help, ""});
    for (const PushedSeries& series : family.series)
      append_push_text(text, series.own, series.value);
  }
  return fmt::format("{}{} {:08x}\n{}", kMagic, kVersion, crc32c(text), text);
}

Result<PushGroup> read_push_file(std::string_view bytes) {
  const auto first_end = bytes.find('\n');
  if (!bytes.starts_with(kMagic) || first_end == std::string_view::npos)
    return broken("the first line is not of a pushed group");
  std::string_view first = bytes.substr(kMagic.size(), first_end - kMagic.size());
  const auto space = first.find(' ');
  if (first.substr(0, space) != kVersion) {
    return fail(Code::kInvalidArgument, fmt::format("pushed group: written in format {:.16}, this "
                                                    "program reads {}",
                                                    first.substr(0, space), kVersion));
  }
  const std::string_view rest = bytes.substr(first_end + 1);
  if (first.substr(space + 1) != fmt::format("{:08x}", crc32c(rest)))
    return broken("its checksum does not fit");
  const auto header_end = rest.find('\n');
  TRY_ASSIGN(PushGroup group, read_header(rest.substr(0, header_end)));
  auto families =
      read_push(rest.substr(header_end + 1), exposition::Format::kText, group.key, kNoLimits);
  if (!families) return broken(families.error().message);
  for (auto& [name, family] : *families) {
    if (const auto typed = group.families.find(name); typed != group.families.end())
      family.metadata.type = typed->second.metadata.type;
  }
  group.families = *std::move(families);
  return group;
}

}  // namespace binnacle::collect::receive
