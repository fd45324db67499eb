// The grouping labels in a path: /job/a/instance/b, values with slashes as /name@base64/VALUE.
#include <fmt/format.h>

#include <vector>

#include "base/utf8.h"
#include "collect/receive/push_group.h"
#include "net/base64.h"
#include "net/http.h"

namespace binnacle::collect::receive {
namespace {

constexpr std::string_view kBase64 = "@base64";

Unexpected bad_path(std::string_view what, std::string_view part) {
  return fail(Code::kInvalidArgument,
              fmt::format("push: {} (\"{}\"): write /metrics/job/JOB/LABEL/VALUE..., and "
                          "LABEL@base64 before a value in base64",
                          what, to_valid_utf8(part.substr(0, 64))));
}

std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

Result<std::string> value_of(std::string_view text, bool base64) {
  std::string value = net::percent_decode(text, false);
  if (base64) {
    auto decoded = net::decode_base64(value);
    if (!decoded) return bad_path("not base64", value);
    value = *std::move(decoded);
  }
  if (!is_valid_utf8(value)) return bad_path("a value that is not UTF-8", value);
  return value;
}

}  // namespace

Result<model::Labels> push_key_of(std::string_view path) {
  const bool coded_job = path.starts_with(kBase64);
  if (coded_job) path.remove_prefix(kBase64.size());
  if (!path.starts_with('/')) return bad_path("no job", path);
  const std::vector<std::string_view> parts = parts_of(path.substr(1));
  TRY_ASSIGN(const std::string job, value_of(parts[0], coded_job));
  if (job.empty()) return bad_path("no job", path);
  if (parts.size() % 2 == 0) return bad_path("a label without a value", parts.back());
  model::LabelsBuilder labels;
  labels.set("job", job);
  std::vector<std::string> names = {"job"};
  for (size_t i = 1; i < parts.size(); i += 2) {
    std::string name = net::percent_decode(parts[i], false);
    const bool base64 = name.ends_with(kBase64);
    if (base64) name.resize(name.size() - kBase64.size());
    if (!model::is_legacy_label_name(name) || name.starts_with("__"))
      return bad_path("no name of a label", name);
    for (const std::string& taken : names) {
      if (taken == name) return bad_path("a label twice", name);
    }
    names.push_back(name);
    TRY_ASSIGN(const std::string value, value_of(parts[i + 1], base64));
    labels.set(name, value);
  }
  return labels.build();
}

}  // namespace binnacle::collect::receive
