// eq, ne, lt, le, gt, ge as Go has them: numbers with and without a point, and other types, are
// not compared with each other.
#pragma once

#include <span>

#include "base/template.h"

namespace binnacle {

Result<TemplateValue> template_eq(std::span<const TemplateValue> args);
Result<TemplateValue> template_ne(std::span<const TemplateValue> args);
Result<TemplateValue> template_lt(std::span<const TemplateValue> args);
Result<TemplateValue> template_le(std::span<const TemplateValue> args);
Result<TemplateValue> template_gt(std::span<const TemplateValue> args);
Result<TemplateValue> template_ge(std::span<const TemplateValue> args);

}  // namespace binnacle
