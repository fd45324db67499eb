#include "store/metrics/block_meta.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/crc32c.h"

namespace binnacle::store::metrics {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kBase32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::string_view kChecksumKey = "\"crc32c\": \"";

Unexpected broken(std::string_view what) {
  return fail(Code::kDataLoss, fmt::format("read meta.json: {}", what));
}

// The checksum stands last and covers what is before its key.
Status check_checksum(std::string_view json) {
  const size_t at = json.rfind(kChecksumKey);
  if (at == std::string_view::npos) return broken("no checksum");
  const std::string wanted =
      fmt::format("{}{:08x}\"\n}}\n", kChecksumKey, crc32c(json.substr(0, at)));
  if (json.substr(at) != wanted) return broken("it fails its checksum");
  return {};
}

BlockMeta from_json(const Json& json) {
  BlockMeta meta;
  meta.ulid = json.at("ulid");
  meta.format = json.at("format");
  meta.min_ms = json.at("min_ms");
  meta.max_ms = json.at("max_ms");
  meta.series = json.at("series");
  meta.samples = json.at("samples");
  meta.level = json.at("level");
  meta.sources = json.at("sources").get<std::vector<std::string>>();
  meta.parents = json.at("parents").get<std::vector<std::string>>();
  meta.resolution_ms = json.at("resolution_ms");
  meta.cluster = json.at("cluster");
  meta.external_labels = json.at("external_labels").get<std::map<std::string, std::string>>();
  return meta;
}

}  // namespace

std::string block_meta_json(const BlockMeta& meta) {
  Json json;
  json["ulid"] = meta.ulid;
  json["format"] = meta.format;
  json["min_ms"] = meta.min_ms;
  json["max_ms"] = meta.max_ms;
  json["series"] = meta.series;
  json["samples"] = meta.samples;
  json["level"] = meta.level;
  json["sources"] = meta.sources;
  json["parents"] = meta.parents;
  json["resolution_ms"] = meta.resolution_ms;
  json["cluster"] = meta.cluster;
  json["external_labels"] = meta.external_labels;
  std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  text.resize(text.size() - 2);  // "\n}"
  text += ",\n  ";
  const uint32_t checksum = crc32c(text);
  return text + fmt::format("{}{:08x}\"\n}}\n", kChecksumKey, checksum);
}

Result<BlockMeta> parse_block_meta(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return broken("not a JSON object");
  // Before the checksum, so that a newer format may move it.
  const auto format = json.find("format");
  if (format != json.end() && format->is_number_integer() && format->get<int64_t>() > 0)
    TRY(check_format(static_cast<int>(std::min<int64_t>(format->get<int64_t>(), UINT16_MAX))));
  TRY(check_checksum(text));
  BlockMeta meta;
  try {
    meta = from_json(json);
  } catch (const nlohmann::json::exception& error) {
    return broken(error.what());
  }
  if (meta.format <= 0) return broken("unknown format");
  if (!is_ulid(meta.ulid) || meta.min_ms > meta.max_ms) return broken("impossible values");
  return meta;
}

std::string make_ulid(int64_t wall_ms, Random& random) {
  CHECK(wall_ms >= 0 && wall_ms < (int64_t{1} << 48));
  std::string ulid(26, '0');
  auto time = static_cast<uint64_t>(wall_ms);
  for (size_t i = 10; i-- > 0; time >>= 5) ulid[i] = kBase32[time & 31];
  for (size_t half = 0; half < 2; ++half) {
    uint64_t bits = random.next();
    for (size_t i = 0; i < 8; ++i, bits >>= 5) ulid[10 + half * 8 + i] = kBase32[bits & 31];
  }
  return ulid;
}

int64_t ulid_ms(std::string_view ulid) {
  CHECK(is_ulid(ulid));
  int64_t ms = 0;
  for (const char digit : ulid.substr(0, 10))
    ms = ms << 5 | static_cast<int64_t>(kBase32.find(digit));
  return ms;
}

bool is_ulid(std::string_view text) {
  return text.size() == 26 && text[0] <= '7' &&
         text.find_first_not_of(kBase32) == std::string_view::npos;
}

}  // namespace binnacle::store::metrics
