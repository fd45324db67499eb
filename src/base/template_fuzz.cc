// A template of any bytes: refused with a place, or run within its limits, whatever it says. What
// parses once must parse again, and give the same.
#include "base/check.h"
#include "base/template.h"
#include "base/template_text_functions.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace binnacle;  // NOLINT(google-build-using-namespace): a program of one file

constexpr TemplateLimits kLimits{.max_output_bytes = 4096, .max_steps = 20'000, .max_depth = 20};

TemplateValue data() {
  return TemplateValue::Map{
      {"Name", "name"},
      {"N", int64_t{3}},
      {"F", 1.5},
      {"List", TemplateValue::List{"a", int64_t{1}, TemplateValue()}},
      {"Map", TemplateValue::Map{{"a", "b"}}},
      {"Labels", template_text_map({{"job", "node"}})},
      {"Record", template_record({{"Field", "value"}})},
      {"Time", TemplateTime{1'700'000'000'000'000'000, ""}},
  };
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const TemplateSet empty(template_text_functions());
  static const TemplateValue values = data();
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const Status parsed = empty.check("f", text);
  const auto out = empty.expand("f", text, values, TemplateEscape::kNone, {}, kLimits);
  if (!parsed) {
    CHECK(!out && out.error().message == parsed.error().message);
    CHECK(parsed.error().message.starts_with("f:"));
    return 0;
  }
  if (out) {
    CHECK(out->size() <= kLimits.max_output_bytes);
    const auto again = empty.expand("f", text, values, TemplateEscape::kNone, {}, kLimits);
    CHECK(again && *again == *out);
  } else {
    CHECK(out.error().message.starts_with("f:"));
  }
  TemplateSet set(template_text_functions());
  CHECK(set.add("file", text));
  (void)set.expand("f", "{{template \"file\" .}}", values, TemplateEscape::kHtml, {}, kLimits);
  return 0;
}
