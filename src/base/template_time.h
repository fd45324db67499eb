// Times in templates: how they print and which methods of Go's time.Time they have; and durations,
// which are what two times differ by.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/template.h"

namespace binnacle {

std::string template_time_text(const TemplateTime& time);  // as {{ . }} prints it
Result<std::string> format_template_time(const TemplateTime& time, std::string_view layout);

// kNotFound: time.Time has no such method, or we have not.
Result<TemplateValue> template_time_method(const TemplateTime& time, std::string_view name,
                                           std::span<const TemplateValue> args);

// time.Duration: prints "1m30s", has .Seconds and the like.
TemplateValue template_duration(int64_t nanoseconds);
std::optional<int64_t> template_duration_ns(const TemplateValue& value);  // nothing: it is none

}  // namespace binnacle
