// A config.json of any bytes: refused with an error that names it, or taken, and then what we write
// for it reads back as the same model.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "engine/model/config_json.h"
#include "engine/model/weight_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace binnacle::engine;  // NOLINT(google-build-using-namespace): a program of one file
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_weight_index(text, "i");
  (void)parse_generation_end_tokens(text, "g");
  (void)config_json_pair(text);
  const auto config = parse_config_json(text, "f");
  if (!config) {
    CHECK(config.error().message.starts_with("f"));
    return 0;
  }
  CHECK(config->parameters() > 0);
  const std::string written = config_json(*config, NumberType::kFloat32, "");
  const auto again = parse_config_json(written, "again");
  CHECK(again.has_value());
  CHECK(again->parameters() == config->parameters());
  CHECK(config_json(*again, NumberType::kFloat32, "") == written);
  return 0;
}
