// Functions that the templates of rules and of notifications have in common, and what functions
// need to read their arguments. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/template.h"

namespace binnacle {

// toUpper, toLower, match, reReplaceAll, safeHtml, humanizeDuration.
TemplateFunctions template_text_functions();

// `count` arguments, or an error that says what the function wants.
Status template_want(std::string_view function, std::span<const TemplateValue> args, size_t count);
// A string, also where it is safe text; kInvalidArgument for another type.
Result<std::string> template_string(std::string_view function, const TemplateValue& value);
// A number, a string that is one, or a duration in seconds.
Result<double> template_number(std::string_view function, const TemplateValue& value);

// A function of one string.
TemplateFunction template_text_function(std::string_view function,
                                        std::string (*change)(std::string_view));

// A number with at most four significant digits, as fmt's "%.4g".
std::string template_short_number(double value);
// Below one: "12.5m", with a prefix for each power of a thousand.
std::string template_small_number(double value);

}  // namespace binnacle
