// Parses the text of a template into definitions: one for each define and block, and one for the
// text itself. Pure; any thread.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/template_ast.h"

namespace binnacle {

// Of actions in actions and parentheses in parentheses.
inline constexpr int kMaxTemplateNesting = 100;
inline constexpr size_t kMaxTemplateBytes = size_t{1} << 20;  // of a text that is parsed

// The text itself is the definition with the source's name. kInvalidArgument:
// "NAME:LINE:COLUMN: what was expected".
Result<TemplateDefinitions> parse_template(
    std::shared_ptr<const TemplateSource> source,
    const std::function<bool(std::string_view)>& is_function);

}  // namespace binnacle
