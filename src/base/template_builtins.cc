#include "base/template_builtins.h"

#include "base/template_compare.h"
#include "base/template_escape.h"
#include "base/template_format.h"

#include <fmt/format.h>

namespace binnacle {
namespace {

using Args = std::span<const TemplateValue>;
using List = TemplateValue::List;
using Map = TemplateValue::Map;
using Object = std::shared_ptr<const TemplateObject>;

Unexpected wrong(std::string message) { return fail(Code::kInvalidArgument, std::move(message)); }

Result<TemplateValue> length(Args args) {
  if (args.size() != 1) return wrong("len: wants one argument");
  const auto& data = args[0].data();
  const auto as_value = [](size_t n) { return TemplateValue(static_cast<int64_t>(n)); };
  if (const auto* text = std::get_if<std::string>(&data)) return as_value(text->size());
  if (const auto* list = std::get_if<std::shared_ptr<const List>>(&data))
    return as_value((*list)->size());
  if (const auto* map = std::get_if<std::shared_ptr<const Map>>(&data))
    return as_value((*map)->size());
  if (const auto* object = std::get_if<Object>(&data)) {
    TRY_ASSIGN(const auto items, (*object)->items());
    return as_value(items.size());
  }
  return wrong(fmt::format("len: {} has no length", template_type_name(args[0])));
}

Result<size_t> position(std::string_view what, const TemplateValue& value, size_t end) {
  const auto* at = std::get_if<int64_t>(&value.data());
  if (!at) return wrong(fmt::format("{}: {} is no position", what, template_type_name(value)));
  if (*at < 0 || static_cast<uint64_t>(*at) >= end)
    return wrong(fmt::format("{}: {} is out of range", what, *at));
  return static_cast<size_t>(*at);
}

Result<TemplateValue> element(const TemplateValue& of, const TemplateValue& key) {
  const auto& data = of.data();
  if (const auto* list = std::get_if<std::shared_ptr<const List>>(&data)) {
    TRY_ASSIGN(const size_t at, position("index", key, (*list)->size()));
    return (**list)[at];
  }
  if (const auto* text = std::get_if<std::string>(&data)) {
    TRY_ASSIGN(const size_t at, position("index", key, text->size()));
    return TemplateValue(int64_t{static_cast<unsigned char>((*text)[at])});
  }
  if (const auto* map = std::get_if<std::shared_ptr<const Map>>(&data)) {
    const auto* name = std::get_if<std::string>(&key.data());
    if (!name)
      return wrong(
          fmt::format("index: the key of a map is a string, not {}", template_type_name(key)));
    const auto found = (*map)->find(*name);
    return found == (*map)->end() ? TemplateValue() : found->second;
  }
  if (const auto* object = std::get_if<Object>(&data)) return (*object)->index(key);
  return wrong(fmt::format("index: {} has no elements", template_type_name(of)));
}

Result<TemplateValue> index(Args args) {
  if (args.empty()) return wrong("index: wants a value and keys");
  TemplateValue value = args[0];
  for (const TemplateValue& key : args.subspan(1)) {
    TRY_ASSIGN(value, element(value, key));
  }
  return value;
}

Result<TemplateValue> slice(Args args) {
  if (args.empty() || args.size() > 4) return wrong("slice: wants a value and up to 3 positions");
  const auto* text = std::get_if<std::string>(&args[0].data());
  const auto* list = std::get_if<std::shared_ptr<const List>>(&args[0].data());
  if (!text && !list)
    return wrong(fmt::format("slice: {} has no parts", template_type_name(args[0])));
  if (text && args.size() == 4) return wrong("slice: a string takes no third position");
  const size_t size = text ? text->size() : (*list)->size();
  size_t bounds[3] = {0, size, size};
  for (size_t i = 1; i < args.size(); ++i) {
    TRY_ASSIGN(bounds[i - 1], position("slice", args[i], size + 1));
  }
  if (bounds[0] > bounds[1] || bounds[1] > bounds[2])
    return wrong(fmt::format("slice: {} is behind {}", bounds[0], bounds[1]));
  if (text) return TemplateValue(text->substr(bounds[0], bounds[1] - bounds[0]));
  const auto at = [&](size_t i) { return (*list)->begin() + static_cast<std::ptrdiff_t>(i); };
  return TemplateValue(List(at(bounds[0]), at(bounds[1])));
}

Result<TemplateValue> print_as(Args args) {
  const auto* format = args.empty() ? nullptr : std::get_if<std::string>(&args[0].data());
  if (!format) return wrong("printf: wants a format first");
  return TemplateValue(template_printf(*format, args.subspan(1)));
}

Result<TemplateValue> negate(Args args) {
  if (args.size() != 1) return wrong("not: wants one argument");
  return TemplateValue(!args[0].truth());
}

// What the escaping functions take: one string, or all that print would print.
std::string joined(Args args) {
  if (args.size() == 1 && std::holds_alternative<std::monostate>(args[0].data()))
    return "<no value>";
  return template_print(args);
}

TemplateFunctions make_builtins() {
  return {
      {"eq", template_eq},
      {"ne", template_ne},
      {"lt", template_lt},
      {"le", template_le},
      {"gt", template_gt},
      {"ge", template_ge},
      {"not", negate},
      {"len", length},
      {"index", index},
      {"slice", slice},
      {"print", [](Args args) { return TemplateValue(template_print(args)); }},
      {"println", [](Args args) { return TemplateValue(template_println(args)); }},
      {"printf", print_as},
      {"html", [](Args args) { return TemplateValue(template_html_escape(joined(args))); }},
      {"js", [](Args args) { return TemplateValue(template_js_escape(joined(args))); }},
      {"urlquery", [](Args args) { return TemplateValue(template_query_escape(joined(args))); }},
  };
}

}  // namespace

const TemplateFunctions& template_builtins() {
  static const TemplateFunctions functions = make_builtins();
  return functions;
}

}  // namespace binnacle
