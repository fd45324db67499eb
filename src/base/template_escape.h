// Text made fit for HTML, JavaScript and URLs, as Go's text/template does it. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace binnacle {

std::string template_html_escape(std::string_view text);
std::string template_js_escape(std::string_view text);
std::string template_query_escape(std::string_view text);            // a space becomes '+'
Result<std::string> template_query_unescape(std::string_view text);  // kInvalidArgument

}  // namespace binnacle
