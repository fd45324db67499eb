// A parsed template: what the parser makes and the evaluator walks. Plain values, immutable once
// parsed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/template.h"

namespace binnacle {

// The text that definitions came from, for the places in errors.
struct TemplateSource {
  std::string name;
  std::string text;
  size_t preamble = 0;                       // bytes before what the user wrote
  std::string place(uint32_t offset) const;  // "NAME:LINE:COLUMN", both from 1
};

struct TemplatePipe;

// One word of a command, with the fields that follow it: `.A.B`, `$x.A`, `(index . 0).A`.
struct TemplateOperand {
  enum class Kind : uint8_t { kDot, kVariable, kFunction, kPipe, kNil, kLiteral };
  Kind kind = Kind::kDot;
  uint32_t at = 0;
  std::string name;                    // kVariable with its '$', kFunction
  TemplateValue literal;               // kLiteral
  std::shared_ptr<TemplatePipe> pipe;  // kPipe
  std::vector<std::string> fields;
};

struct TemplateCommand {
  uint32_t at = 0;
  std::vector<TemplateOperand> words;  // at least one
};

struct TemplatePipe {
  uint32_t at = 0;
  bool declares = false;  // `:=` and not `=`
  std::vector<std::string> variables;
  std::vector<TemplateCommand> commands;
};

struct TemplateNode {
  enum class Kind : uint8_t { kText, kAction, kIf, kRange, kWith, kCall, kBreak, kContinue };
  Kind kind = Kind::kText;
  uint32_t at = 0;
  std::string text;                    // kText, and the name that kCall calls
  std::shared_ptr<TemplatePipe> pipe;  // null: kText, kBreak, kContinue, a kCall without data
  std::vector<TemplateNode> body;
  std::vector<TemplateNode> otherwise;  // of else
};

struct TemplateDefinition {
  std::string name;
  std::shared_ptr<const TemplateSource> source;
  std::vector<TemplateNode> body;

  // Nothing but white space: such a definition replaces none.
  bool blank() const;
};

using TemplateDefinitions =
    std::map<std::string, std::shared_ptr<const TemplateDefinition>, std::less<>>;

}  // namespace binnacle
