// /etc/os-release: which distribution runs. Source: os-release(5).
#include <map>

#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr std::string_view kInfoLabels[] = {
    "build_id",    "id",      "id_like",    "image_id", "image_version",    "name",
    "pretty_name", "variant", "variant_id", "version",  "version_codename", "version_id"};
constexpr Metric kInfo = gauge(
    "node_os_info",
    "A metric with a constant '1' value labeled by build_id, id, id_like, image_id, image_version, "
    "name, pretty_name, variant, variant_id, version, version_codename, version_id.",
    kInfoLabels);
constexpr std::string_view kVersionLabels[] = {"id", "id_like", "name"};
constexpr Metric kVersion = gauge(
    "node_os_version", "Metric containing the major.minor part of the OS version.", kVersionLabels);

using Fields = std::map<std::string, std::string, std::less<>>;

// Values may be quoted as in a shell; within quotes a backslash takes the next character as it is.
std::string unquote(std::string_view text) {
  text = trim(text);
  const char quote = text.empty() ? '\0' : text.front();
  if ((quote != '"' && quote != '\'') || text.size() < 2 || text.back() != quote) {
    return std::string(text);
  }
  std::string out;
  text = text.substr(1, text.size() - 2);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

Fields parse_fields(std::string_view rest) {
  Fields fields;
  for (std::string_view line; next_line(rest, line);) {
    line = trim(line);
    const size_t equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) continue;
    fields[std::string(line.substr(0, equals))] = unquote(line.substr(equals + 1));
  }
  return fields;
}

// "22.04" of "22.04.3".
std::optional<double> major_minor(std::string_view version) {
  size_t end = 0;
  bool dot = false;
  while (end < version.size() && ((version[end] >= '0' && version[end] <= '9') ||
                                  (version[end] == '.' && end > 0 && !dot))) {
    dot = dot || version[end] == '.';
    ++end;
  }
  return parse_number(version.substr(0, end));
}

class OsReleasePart final : public Part {
 public:
  explicit OsReleasePart(const Source& source) : source_(source) {}

  std::string_view name() const override { return "os"; }
  int64_t period_ms() const override { return 15'000; }

  Status collect(Emitter& emitter) override {
    auto text = read_small_file(source_.files, source_.root("etc/os-release"));
    if (!text) text = read_small_file(source_.files, source_.root("usr/lib/os-release"));
    if (!text && is_absent(text.error())) return {};  // an image without a distribution
    if (!text) return fail(std::move(text).error());
    const Fields fields = parse_fields(*text);
    const auto get = [&](std::string_view name) {
      const auto found = fields.find(name);
      return found == fields.end() ? std::string_view() : std::string_view(found->second);
    };
    emitter.emit(kInfo,
                 {get("BUILD_ID"), get("ID"), get("ID_LIKE"), get("IMAGE_ID"), get("IMAGE_VERSION"),
                  get("NAME"), get("PRETTY_NAME"), get("VARIANT"), get("VARIANT_ID"),
                  get("VERSION"), get("VERSION_CODENAME"), get("VERSION_ID")},
                 1);
    if (const auto version = major_minor(get("VERSION_ID"))) {
      emitter.emit(kVersion, {get("ID"), get("ID_LIKE"), get("NAME")}, *version);
    }
    return {};
  }

 private:
  const Source source_;
};

}  // namespace

std::unique_ptr<Part> os_release_part(const Source& source) {
  return std::make_unique<OsReleasePart>(source);
}

}  // namespace binnacle::collect::host
