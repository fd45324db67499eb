#include "base/config_substitution.h"

#include <fmt/format.h>

#include <cstdlib>

namespace binnacle {
namespace {

constexpr std::string_view kOpen = "${";

bool is_source_name(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return false;
  }
  return true;
}

// In `$${` and `$$${`, ... the last `$` before `${` escapes.
bool escaped(std::string_view before) { return before.ends_with('$'); }

}  // namespace

ConfigSources process_config_sources() {
  const auto env = [](const std::string& name) -> std::optional<std::string> {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this program sets a variable.
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  return ConfigSources{env, real_file_system()};
}

Result<Substitution::Outcome> Substitution::apply(std::string_view raw) {
  Outcome out;
  for (;;) {
    const size_t open = raw.find(kOpen);
    if (open == std::string_view::npos) break;
    if (escaped(raw.substr(0, open))) {
      out.text += raw.substr(0, open - 1);
      out.text += kOpen;
      raw.remove_prefix(open + kOpen.size());
      continue;
    }
    out.text += raw.substr(0, open);
    raw.remove_prefix(open + kOpen.size());
    const size_t close = raw.find('}');
    const std::string_view inside = raw.substr(0, close);
    const size_t colon = inside.find(':');
    if (colon == std::string_view::npos || !is_source_name(inside.substr(0, colon))) {
      out.text += kOpen;
      continue;
    }
    if (close == std::string_view::npos) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("substitution is not closed (${{{}): end it with }} or write $${{ for a "
                      "literal ${{",
                      inside.substr(0, colon + 1)));
    }
    TRY_ASSIGN(const std::string value, fetch(inside.substr(0, colon), inside.substr(colon + 1)));
    out.text += value;
    out.substituted = true;
    raw.remove_prefix(close + 1);
  }
  out.text += raw;
  return out;
}

Result<std::string> Substitution::fetch(std::string_view source, std::string_view name) {
  if (source != "env" && source != "file") {
    return fail(Code::kInvalidArgument,
                fmt::format("unknown source of a substitution ({}): write ${{env:NAME}} or "
                            "${{file:PATH}}, or $${{ for a literal ${{",
                            source));
  }
  if (++used_ > kMaxSubstitutions) {
    return fail(Code::kResourceExhausted, fmt::format("too many substitutions ({}): use at most {}",
                                                      used_, kMaxSubstitutions));
  }
  if (source == "env") {
    auto value = sources_.env(std::string(name));
    if (!value) {
      return fail(Code::kNotFound,
                  fmt::format("environment variable is not set ({}): set it, or remove the "
                              "substitution",
                              name));
    }
    if (value->size() > kMaxSubstitutedBytes) {
      return fail(Code::kOutOfRange,
                  fmt::format("environment variable is too long ({}): at most {} "
                              "bytes are taken",
                              name, kMaxSubstitutedBytes));
    }
    return *std::move(value);
  }
  auto bytes = sources_.files.read_file(std::string(name), kMaxSubstitutedBytes);
  if (!bytes) {
    return fail(bytes.error().code,
                fmt::format("file of a substitution cannot be read ({}): {}; mend it or the path",
                            name, bytes.error().message));
  }
  if (bytes->ends_with("\r\n")) {
    bytes->resize(bytes->size() - 2);
  } else if (bytes->ends_with('\n')) {
    bytes->pop_back();
  }
  return *std::move(bytes);
}

std::string escape_substitution(std::string_view text) {
  std::string out;
  for (size_t open; (open = text.find(kOpen)) != std::string_view::npos;) {
    out += text.substr(0, open);
    out += "$${";
    text.remove_prefix(open + kOpen.size());
  }
  return out += text;
}

}  // namespace binnacle
