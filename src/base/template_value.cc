#include "base/template.h"
#include "base/template_format.h"
#include "base/template_safe_text.h"

#include <fmt/format.h>

namespace binnacle {
namespace {

Unexpected no_method(std::string_view field) {
  return fail(Code::kInvalidArgument, fmt::format("{} is no method, it takes no argument", field));
}

class TextMap final : public TemplateObject {
 public:
  using Texts = std::map<std::string, std::string, std::less<>>;
  explicit TextMap(Texts texts) : texts_(std::move(texts)) {}

  Result<TemplateValue> get(std::string_view field,
                            std::span<const TemplateValue> args) const override {
    if (!args.empty()) return no_method(field);
    return lookup(field);
  }
  std::string text() const override {
    std::string out = "map[";
    for (const auto& [name, value] : texts_) {
      if (out.back() != '[') out += ' ';
      out += name + ':' + value;
    }
    return out + ']';
  }
  bool truth() const override { return !texts_.empty(); }
  Result<TemplateValue> index(const TemplateValue& key) const override {
    if (const auto* name = std::get_if<std::string>(&key.data())) return lookup(*name);
    return fail(Code::kInvalidArgument, "index: the key of this map is a string");
  }
  Result<std::vector<std::pair<TemplateValue, TemplateValue>>> items() const override {
    std::vector<std::pair<TemplateValue, TemplateValue>> out;
    for (const auto& [name, value] : texts_) out.emplace_back(name, value);
    return out;
  }

 private:
  TemplateValue lookup(std::string_view name) const {
    const auto found = texts_.find(name);
    return found == texts_.end() ? TemplateValue("") : TemplateValue(found->second);
  }

  Texts texts_;
};

class Record final : public TemplateObject {
 public:
  using Fields = std::vector<std::pair<std::string, TemplateValue>>;
  explicit Record(Fields fields) : fields_(std::move(fields)) {}

  Result<TemplateValue> get(std::string_view field,
                            std::span<const TemplateValue> args) const override {
    if (!args.empty()) return no_method(field);
    for (const auto& [name, value] : fields_) {
      if (name == field) return value;
    }
    return fail(Code::kNotFound, fmt::format("there is no field {}", field));
  }
  std::string text() const override {
    std::string out = "{";
    for (const auto& [name, value] : fields_) {
      if (out.size() > 1) out += ' ';
      out += template_value_text(value);
    }
    return out + '}';
  }

 private:
  Fields fields_;
};

}  // namespace

TemplateValue::TemplateValue(List value) : data_(std::make_shared<const List>(std::move(value))) {}
TemplateValue::TemplateValue(Map value) : data_(std::make_shared<const Map>(std::move(value))) {}

bool TemplateValue::truth() const {
  struct Truth {
    bool operator()(std::monostate) const { return false; }
    bool operator()(bool value) const { return value; }
    bool operator()(int64_t value) const { return value != 0; }
    bool operator()(double value) const { return value != 0; }
    bool operator()(const std::string& value) const { return !value.empty(); }
    bool operator()(const TemplateTime&) const { return true; }
    bool operator()(const std::shared_ptr<const List>& value) const { return !value->empty(); }
    bool operator()(const std::shared_ptr<const Map>& value) const { return !value->empty(); }
    bool operator()(const std::shared_ptr<const TemplateObject>& value) const {
      return value->truth();
    }
  };
  return std::visit(Truth{}, data_);
}

std::string TemplateValue::text() const {
  if (std::holds_alternative<std::monostate>(data_)) return "<no value>";
  return template_value_text(*this);
}

Result<TemplateValue> TemplateObject::index(const TemplateValue& /*key*/) const {
  return fail(Code::kInvalidArgument, "index: this value has no elements");
}

Result<std::vector<std::pair<TemplateValue, TemplateValue>>> TemplateObject::items() const {
  return fail(Code::kInvalidArgument, "this value has no elements");
}

TemplateValue template_text_map(std::map<std::string, std::string, std::less<>> texts) {
  return TemplateValue(
      std::shared_ptr<const TemplateObject>(std::make_shared<TextMap>(std::move(texts))));
}

TemplateValue template_record(std::vector<std::pair<std::string, TemplateValue>> fields) {
  return TemplateValue(
      std::shared_ptr<const TemplateObject>(std::make_shared<Record>(std::move(fields))));
}

Result<TemplateValue> SafeText::get(std::string_view field,
                                    std::span<const TemplateValue> /*args*/) const {
  return fail(Code::kNotFound, fmt::format("a text has no field {}", field));
}

TemplateValue template_safe_text(std::string text) {
  return TemplateValue(
      std::shared_ptr<const TemplateObject>(std::make_shared<SafeText>(std::move(text))));
}

}  // namespace binnacle
