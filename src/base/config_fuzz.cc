// A config file of any bytes: refused with problems, or taken whole, and then what it prints
// unmasked must read back as the same values, and what it prints masked must hold no secret.
#include "base/check.h"
#include "base/config.h"
#include "base/fault_file_system.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace {

using namespace binnacle;  // NOLINT(google-build-using-namespace): a program of one file

constexpr char kSecret[] = "SECRET-FROM-OUTSIDE";

ConfigSchema make_schema() {
  using enum ConfigType;
  const std::string m = "A key.";
  return ConfigSchema({
      {.path = "list", .type = kObjects, .default_text = "[{}]", .meaning = m},
      {.path = "list[].text", .meaning = m},
      {.path = "list[].names",
       .type = kStrings,
       .default_text = "[a]",
       .meaning = m,
       .choices = {"a", "b"}},
      {.path = "list[].inner", .type = kObjects, .default_text = "[]", .meaning = m},
      {.path = "list[].inner[].x", .type = kInt, .default_text = "1", .meaning = m, .min = "0"},
      {.path = "s.flag", .type = kBool, .default_text = "true", .meaning = m},
      {.path = "s.float", .type = kFloat, .default_text = "0.5", .meaning = m},
      {.path = "s.duration", .type = kDuration, .default_text = "30s", .meaning = m, .max = "1y"},
      {.path = "s.bytes", .type = kBytes, .default_text = "1MiB", .meaning = m},
      {.path = "s.word",
       .type = kEnum,
       .default_text = "one",
       .meaning = m,
       .choices = {"one", "two"}},
      {.path = "s.map", .type = kMap, .default_text = "{}", .meaning = m},
      {.path = "s.strings", .type = kStrings, .default_text = "[]", .meaning = m},
      {.path = "s.password", .meaning = m, .secret = true},
  });
}

// One variable and one file are there, all others are not.
struct World {
  World() { CHECK(files.write_file_atomically("/f", std::string(kSecret) + "\n")); }

  FaultFileSystem files;
  ConfigSources sources{[](const std::string& name) -> std::optional<std::string> {
                          if (name != "E") return std::nullopt;
                          return kSecret;
                        },
                        files};
};

bool holds_secret(std::string_view text) { return text.find(kSecret) != std::string_view::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ConfigSchema schema = make_schema();
  static World world;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = Config::parse(schema, text, "f", world.sources);
  if (!config) {
    CHECK(!config.error().lines().empty());
    for (const std::string& line : config.error().lines())
      CHECK(!holds_secret(line) || holds_secret(text));
    return 0;
  }
  CHECK(!holds_secret(config->print(true)) || holds_secret(text));
  CHECK(!config->print_json(true).empty());
  const auto again = Config::parse(schema, config->print(false), "again", world.sources);
  if (!again) {
    // Printing adds escapes and indentation; only what it adds beyond the bound may be refused.
    CHECK(config->print(false).size() > kMaxConfigBytes);
    return 0;
  }
  CHECK(Config::diff(*config, *again).empty());
  return 0;
}
