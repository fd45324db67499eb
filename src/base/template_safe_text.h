// Text of a template that must not be escaped again.
#pragma once

#include "base/template.h"

namespace binnacle {

class SafeText final : public TemplateObject {
 public:
  explicit SafeText(std::string text) : text_(std::move(text)) {}
  Result<TemplateValue> get(std::string_view field,
                            std::span<const TemplateValue> args) const override;
  std::string text() const override { return text_; }
  bool truth() const override { return !text_.empty(); }

 private:
  std::string text_;
};

}  // namespace binnacle
