// The functions that every template has: comparison, logic, len, index, slice, printing, escaping.
// `and` and `or` are not among them, since they leave arguments out; the evaluator does them. Pure.
#pragma once

#include "base/template.h"

namespace binnacle {

const TemplateFunctions& template_builtins();

}  // namespace binnacle
